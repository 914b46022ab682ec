import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, registered } from "../support/accounts.ts";
import { type ApplicationSite, signedRequest, startApplicationSite } from "../support/application-site.ts";
import { type EveryRoute, openEveryRoute, subjectOf } from "../support/every-route.ts";
import { must, outcome } from "../support/expectation.ts";
import { call, type TestReply } from "../support/http.ts";
import { until } from "../support/outcome.ts";

let house: EveryRoute;
let sql: pg.Client;
const sites: ApplicationSite[] = [];

beforeAll(async () => {
  house = await openEveryRoute();
  sql = new pg.Client({ connectionString: house.cluster.databaseUrl });
  await sql.connect();
});
afterAll(async () => {
  for (const site of sites) site.close();
  await sql?.end();
  await house?.close();
});

async function site(name: string): Promise<ApplicationSite> {
  const made = await startApplicationSite(name);
  sites.push(made);
  return made;
}

const register = (domain: string): Promise<TestReply> =>
  api(house.cluster, "/applications/register", { body: { domain } });

/** Holds a lock until both requests wait for it, so that neither has seen what the other is about to do. */
async function together(
  lock: string,
  requests: readonly (() => Promise<TestReply>)[],
): Promise<readonly TestReply[]> {
  await sql.query("BEGIN");
  try {
    await sql.query(lock);
    const replies = requests.map((request) => request());
    await until("both wait", 20, async () => {
      const { rows } = await sql.query(
        "SELECT count(*)::int AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      return rows[0].waiting === requests.length;
    });
    await sql.query("COMMIT");
    return await Promise.all(replies);
  } finally {
    await sql.query("ROLLBACK");
  }
}

describe("an application that looks after itself", () => {
  const request = { alg: "ES256", kid: "k1", typ: "authkit-application-request+jws" };
  let shop: ApplicationSite;
  beforeAll(async () => {
    shop = await site("shop");
    must(await register(shop.base));
  });

  const repoint = (body: unknown): Promise<TestReply> =>
    api(house.cluster, "/applications/shop/repoint", { body });
  const signed = (iat: number): string =>
    signedRequest(shop.key, request, {
      ...{ op: "repoint", slug: "shop", aud: house.origin, iat, domain: "https://elsewhere.example" },
    });

  test("is not rooted elsewhere by a request that is none, that nobody signed, or that is old", async () => {
    const now = Math.floor(Date.now() / 1000);
    const jws = signed(now - 400);
    expect(outcome(await repoint("{"))).toEqual([400, "invalid_request"]);
    expect(outcome(await repoint({ jws: `${jws.slice(0, -8)}AAAAAAAA` }))).toEqual([
      401,
      "application_signature_invalid",
    ]);
    expect(outcome(await repoint({ jws }))).toEqual([401, "application_signature_stale"]);
  });

  test("keeps its group's slug, and the role of its last owner", async () => {
    const { bearer, id } = house.owner;
    const role = { persona: "org", instanceSlug: "shop", subjectKind: "user", role: "admin" };
    must(await call(house.cluster, "AssignGroupRole", { ...role, subjectID: id }));
    const renaming = { method: "PATCH", bearer, body: { slug: "market" } };
    expect(outcome(await api(house.cluster, "/org/shop", renaming))).toEqual([
      409,
      "group_slug_application_managed",
    ]);
    const path = "/org/shop/remote-applications/shop/roles/viewer";
    const demoting = await api(house.cluster, path, { method: "PUT", bearer });
    expect(outcome(demoting)).toEqual([409, "cannot_remove_last_owner"]);
  });

  test("is registered once, though its domain calls itself otherwise at each look", async () => {
    let looks = 0;
    const twofold = await site("twofold");
    twofold.slug = () => `twofold-${++looks}`;
    const replies = await together("LOCK TABLE profiles.remote_applications IN SHARE MODE", [
      () => register(twofold.base),
      () => register(twofold.base),
    ]);
    expect(replies.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect(replies.map(({ code }) => code)).toContain("application_domain_conflict");
  });
});

describe("two owners who take each other down at once leave one", () => {
  const asked = {
    "POST /admin/users/{user_id}/ban": (id: string, bearer: string) =>
      api(house.cluster, `/admin/users/${id}/ban`, { bearer, body: { until: "infinite" } }),
    "DELETE /admin/users/{user_id}": (id: string, bearer: string) =>
      api(house.cluster, `/admin/users/${id}`, { method: "DELETE", bearer }),
  };
  let left: EveryRoute["owner"];
  beforeAll(() => {
    left = house.owner;
  });

  test.each(Object.entries(asked))("%s", async (_name, take) => {
    const { accessToken: bearer } = await registered(house.cluster);
    const other = { bearer, id: subjectOf(bearer) };
    must(await call(house.cluster, "AssignRoleBySlug", { userID: other.id, slug: "owner" }));
    const replies = await together(
      "SELECT id FROM profiles.permission_groups WHERE persona = 'root' FOR UPDATE",
      [() => take(left.id, other.bearer), () => take(other.id, left.bearer)],
    );
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
    expect(replies.map(({ code }) => code)).toContain("cannot_remove_last_owner");
    if (replies[0]?.status === 200) left = other;
  });
});
