import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import { api, registered } from "../support/accounts.ts";
import { type EveryRoute, filled, openEveryRoute, rows, send, subjectOf } from "../support/every-route.ts";
import { must, outcome } from "../support/expectation.ts";
import type { TestReply } from "../support/http.ts";

let house: EveryRoute;
/** A member of `acme` who may look only. */
let viewer: { readonly bearer: string; readonly id: string };

async function newcomer(): Promise<{ readonly bearer: string; readonly id: string }> {
  const { accessToken: bearer } = await registered(house.cluster);
  return { bearer, id: subjectOf(bearer) };
}

const acme = (path: string, options: Parameters<typeof api>[2]): Promise<TestReply> =>
  api(house.cluster, `/org/acme${path}`, options);
const asOwner = (path: string, body: unknown): Promise<TestReply> =>
  acme(path, { bearer: house.owner.bearer, body });

beforeAll(async () => {
  house = await openEveryRoute();
  viewer = await newcomer();
  must(await asOwner("/members", { user_id: viewer.id, role: "viewer" }));
});
afterAll(() => house?.close());

describe("a group without a name", () => {
  const addressed = rows.filter(
    ({ route }) => route.path.includes("{instance_slug}") && route.errors.includes("invalid_request"),
  );
  test.each(addressed.map((row) => [row.name, row]))("%s", async (_name, row) => {
    const path = filled(row.template, { instance_slug: " " });
    const reply = await send(house, row, { path, bearer: house.owner.bearer });
    expect(outcome(reply)).toEqual([400, "invalid_request"]);
  });
});

describe("a member who may look only", () => {
  const closed = rows.filter(
    ({ route }) =>
      route.path.startsWith("/{persona}/{instance_slug}") &&
      route.errors.includes("forbidden") &&
      !["/members", "/invites/links", "/invites/memberships"].some(
        (end) => route.method === "GET" && route.path.endsWith(end),
      ),
  );
  test.each(closed.map((row) => [row.name, row]))("%s", async (_name, row) => {
    expect(outcome(await send(house, row, { bearer: viewer.bearer }))).toEqual([403, "forbidden"]);
  });

  test("leaves", async () => {
    const { bearer, id } = await newcomer();
    must(await asOwner("/members", { user_id: id, role: "viewer" }));
    const left = await api(house.cluster, "/me/groups/org/acme", { method: "DELETE", bearer });
    expect([left.status, left.body]).toEqual([
      200,
      { ok: true, persona: "org", instance_slug: "acme", left: true },
    ]);
    expect(must(await api(house.cluster, "/me/groups", { bearer })).body["data"]).toEqual([]);
  });
});

describe("the last owner", () => {
  const attempts: Readonly<Record<string, (id: string, bearer: string) => Promise<TestReply>>> = {
    "DELETE /{persona}/{instance_slug}/members/{user}": (id, bearer) =>
      acme(`/members/${id}`, { method: "DELETE", bearer }),
    "PUT /{persona}/{instance_slug}/members/{user}/roles/{role}": (id, bearer) =>
      acme(`/members/${id}/roles/viewer`, { method: "PUT", bearer }),
    "POST /{persona}/{instance_slug}/members": (id, bearer) =>
      acme("/members", { bearer, body: { user_id: id, role: "viewer" } }),
    "DELETE /me/groups/{persona}/{instance_slug}": (_id, bearer) =>
      api(house.cluster, "/me/groups/org/acme", { method: "DELETE", bearer }),
    "DELETE /user": (_id, bearer) => api(house.cluster, "/user", { method: "DELETE", bearer }),
  };
  test.each(Object.entries(attempts))("%s", async (_name, attempt) => {
    const { id, bearer } = house.owner;
    expect(outcome(await attempt(id, bearer))).toEqual([409, "cannot_remove_last_owner"]);
  });

  test("keeps the second factor his role demands: DELETE /user/2fa", async () => {
    const { bearer } = await newcomer();
    const create = (): Promise<TestReply> =>
      api(house.cluster, "/vault", { bearer, body: { slug: "treasure" } });
    expect(outcome(await create())).toEqual([403, "2fa_enrollment_required"]);
    const enrol = async (code?: string): Promise<TestReply> =>
      must(await api(house.cluster, "/user/2fa", { bearer, body: { method: "totp", code } }));
    const secret = String((await enrol()).body["secret"]);
    await enrol(totpCode(secret, Math.floor(Date.now() / 1000 / totpPeriod)));
    expect((await create()).status).toBe(201);
    const removing = await api(house.cluster, "/user/2fa", { method: "DELETE", bearer });
    expect(outcome(removing)).toEqual([409, "cannot_remove_last_owner"]);
  });
});

describe("an invitation", () => {
  const invite = async (id: string, role: string): Promise<string> => {
    const made = must(await asOwner("/members", { user_id: id, role, invite: true }));
    return String(made.body["invite_id"]);
  };
  const accept = (bearer: string, id: string): Promise<TestReply> =>
    api(house.cluster, `/me/group-invites/${id}/accept`, { method: "POST", bearer });

  test("into a role that demands a second factor needs one", async () => {
    const { bearer, id } = await newcomer();
    const adding = await asOwner("/members", { user_id: id, role: "guard" });
    expect(outcome(adding)).toEqual([403, "2fa_enrollment_required"]);
    expect(Object(adding.body["error"]).metadata).toMatchObject({ subject: "target" });
    const accepting = await accept(bearer, await invite(id, "guard"));
    expect(outcome(accepting)).toEqual([403, "2fa_enrollment_required"]);
  });

  test("into a role that is gone leads nowhere", async () => {
    const { bearer, id } = await newcomer();
    must(await asOwner("/roles", { role: "clerk", permissions: ["org:members:read"] }));
    const invited = await invite(id, "clerk");
    must(await acme("/roles/clerk", { method: "DELETE", bearer: house.owner.bearer }));
    expect(outcome(await accept(bearer, invited))).toEqual([400, "invalid_request"]);
  });
});
