import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { filterValues, listStatement } from "../../../src/core/users/directory-store.ts";
import type { UserListOptions } from "../../../src/core/users/index.ts";
import { addUser, context, type Fixture, openFixture, refusal } from "./fixture.ts";

let f: Fixture;
beforeAll(async () => {
  f = await openFixture();
});
afterAll(() => f.close());

const all: UserListOptions = {
  page: 1,
  pageSize: 50,
  search: "",
  role: "",
  status: "",
  sort: "username",
  descending: false,
};

async function names(options: Partial<UserListOptions>): Promise<(string | null)[]> {
  return (await f.users.list({ ...all, ...options })).users.map((user) => user.username);
}

describe("the directory", () => {
  beforeAll(async () => {
    await addUser(f, { username: "alpha", email: "alpha_x@example.com", phoneNumber: "+15550001111" });
    f.clock.advance(1);
    const bravo = await addUser(f, { username: "Bravo", email: "b%avo@example.com", phoneNumber: null });
    f.clock.advance(1);
    const charlie = await addUser(f, { username: "charlie", email: null, phoneNumber: null });
    f.clock.advance(1);
    const delta = await addUser(f, { username: "delta", email: null, phoneNumber: null });
    f.clock.advance(1);
    await addUser(f, { username: null, email: "zulu@example.com", phoneNumber: null });
    const options = { ownerGuard: "warn" } as const;
    const soon = new Date(f.clock.millis() + 60_000);
    await f.users.ban({ userId: bravo.id, reason: null, until: soon, bannedBy: null }, context(), options);
    await f.users.ban({ userId: delta.id, reason: null, until: null, bannedBy: null }, context(), options);
    await f.users.softDelete(charlie.id, context(), options);
    await f.users.touchLogin(bravo.id);
    await f.query(`INSERT INTO S.permission_groups (persona) VALUES ('root')`);
    for (const [id, role] of [
      [bravo.id, "owner"],
      [delta.id, "auditor"],
    ])
      await f.query(
        `INSERT INTO S.group_user_roles (permission_group_id, user_id, role) SELECT id, $1, $2 FROM S.permission_groups`,
        [id, role],
      );
  });

  it("filters by status", async () => {
    expect(await names({})).toEqual(["alpha", "Bravo", "delta", null]);
    expect(await names({ status: "nonsense" })).toEqual(["alpha", "Bravo", "delta", null]);
    expect(await names({ status: "active" })).toEqual(["alpha", null]);
    expect(await names({ status: "banned" })).toEqual(["Bravo", "delta"]);
    expect(await names({ status: "deleted" })).toEqual(["charlie"]);
    expect(await names({ status: "any" })).toEqual(["alpha", "Bravo", "charlie", "delta", null]);
    for (const status of ["", "active", "banned", "deleted", "any"])
      expect(await f.users.count({ ...all, status })).toBe((await names({ status })).length);
  });

  it("counts an ended ban as none", async () => {
    f.clock.advance(60);
    expect(await names({ status: "banned" })).toEqual(["delta"]);
    expect(await names({ status: "active" })).toEqual(["alpha", "Bravo", null]);
  });

  it("sorts both ways, unset values where asked", async () => {
    expect(await names({ sort: "username", descending: true })).toEqual([null, "delta", "Bravo", "alpha"]);
    expect(await names({ descending: true, nullsLast: true })).toEqual(["delta", "Bravo", "alpha", null]);
    expect(await names({ status: "any", descending: true, nullsLast: true })).toEqual([
      "delta",
      "charlie",
      "Bravo",
      "alpha",
      null,
    ]);
    expect(await names({ sort: "nonsense", descending: true })).toEqual([null, "delta", "Bravo", "alpha"]);
    expect(await names({ sort: "email" })).toEqual(["alpha", "Bravo", null, "delta"]);
    expect((await names({ sort: "last_login" }))[0]).toBe("Bravo");
    expect((await names({ sort: "last_login", descending: true, nullsLast: true }))[0]).toBe("Bravo");
    expect((await names({ sort: "last_login", descending: true })).at(-1)).toBe("Bravo");
  });

  it("takes wildcards in a search literally", async () => {
    expect(await names({ search: " AVO " })).toEqual(["Bravo"]);
    expect(await names({ search: "b%a" })).toEqual(["Bravo"]);
    expect(await names({ search: "alpha_x" })).toEqual(["alpha"]);
    expect(await names({ search: "%" })).toEqual(["Bravo"]);
    expect(await names({ search: "lph_" })).toEqual([]);
    expect(await names({ search: "\\" })).toEqual([]);
    expect(await names({ search: "0001111" })).toEqual(["alpha"]);
    expect(await names({ search: "alpha\\nalpha" })).toEqual([]);
    expect(await f.users.count({ ...all, search: "example.com" })).toBe(3);
    expect(await refusal(f.users.list({ ...all, search: "\u0000" }))).toBe("invalid_request");
  });

  it("filters by root role and tells declared from removed roles", async () => {
    const page = await f.users.list({ ...all, role: " Owner " });
    expect(page.users.map((user) => [user.username, user.roles, user.removedRoles])).toEqual([
      ["Bravo", ["owner"], []],
    ]);
    expect((await f.users.list({ ...all, role: "auditor" })).users[0]).toMatchObject({
      roles: [],
      removedRoles: ["auditor"],
    });
    expect(await f.users.count({ ...all, role: "owner" })).toBe(1);
    const bravo = page.users[0];
    expect(await f.users.adminById(bravo?.id ?? "")).toEqual(bravo);
    expect(await refusal(f.users.adminById("x"))).toBe("user_not_found");
  });

  it("pages and clamps", async () => {
    expect(await f.users.list({ ...all, page: 2, pageSize: 3 })).toMatchObject({
      total: 4,
      limit: 3,
      offset: 3,
    });
    expect(await names({ page: 2, pageSize: 3 })).toEqual([null]);
    expect(await f.users.list({ ...all, page: -1, pageSize: 201 })).toMatchObject({ limit: 50, offset: 0 });
    expect(await names({ page: 1e12 })).toEqual([]);
    const everyone = await names({ status: "any", descending: true, nullsLast: true });
    const paged = await Promise.all(
      everyone.map((_, i) =>
        names({ status: "any", descending: true, nullsLast: true, page: i + 1, pageSize: 1 }),
      ),
    );
    expect(paged.flat()).toEqual(everyone);
    expect(await refusal(f.users.list({ ...all, entitlement: "x" }))).toBe("entitlement_filter_unavailable");
  });
});

describe("at size", () => {
  beforeAll(async () => {
    await f.query(`
      INSERT INTO S.users (id, email, username, created_at, last_login)
      SELECT gen_random_uuid(), 'mass' || n || '@example.com', 'mass_' || n, now() - n * interval '1 minute',
        CASE WHEN n % 4 = 0 THEN now() - n * interval '1 second' END
      FROM generate_series(1, 40000) AS n`);
    await f.query(`VACUUM ANALYZE S.users`);
  });

  interface Plan {
    readonly "Node Type": string;
    readonly "Relation Name"?: string;
    readonly "Actual Rows"?: number;
    readonly Plans?: readonly Plan[];
  }

  function nodes(plan: Plan): Plan[] {
    return [plan, ...(plan.Plans ?? []).flatMap(nodes)];
  }

  async function planOf(options: Partial<UserListOptions>): Promise<Plan[]> {
    const asked = { ...all, ...options };
    const query = {
      status: asked.status === "any" ? "any" : "live",
      sort:
        asked.sort === "created_at" || asked.sort === "last_login" || asked.sort === "email"
          ? asked.sort
          : "username",
      descending: asked.descending,
      nullsLast: asked.nullsLast ?? false,
      search: asked.search === "" ? undefined : asked.search,
      role: undefined,
      now: f.clock.now(),
    } as const;
    const text = listStatement(query).text(f.config.database.schema);
    const values = [...filterValues(query), 50, 0].map((value) =>
      value instanceof Date ? value.toISOString() : value,
    );
    const rows = await f.query<{ "QUERY PLAN": readonly { readonly Plan: Plan }[] }>(
      `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`,
      values,
    );
    const plan = rows[0]?.["QUERY PLAN"][0]?.Plan;
    if (plan === undefined) throw new Error("no plan");
    return nodes(plan);
  }

  it.each([
    { sort: "created_at", descending: true },
    { sort: "created_at", descending: false },
    { sort: "username", descending: true },
    { sort: "username", descending: false },
    { sort: "email", descending: true },
    { sort: "email", descending: false },
    { sort: "last_login", descending: false },
    { sort: "last_login", descending: true },
    { sort: "created_at", descending: true, nullsLast: true },
    { sort: "last_login", descending: true, nullsLast: true },
    { sort: "created_at", descending: true, status: "any" },
  ])("reads a page from an index: %j", async (options) => {
    const plan = await planOf(options);
    expect(
      plan.filter((node) => node["Node Type"] === "Seq Scan" && node["Relation Name"] === "users"),
    ).toEqual([]);
    for (const node of plan) expect(node["Actual Rows"]).toBeLessThan(1000);
  });

  it("finds a substring through the trigram index", async () => {
    const plan = await planOf({ search: "ass_31234", sort: "created_at" });
    expect(plan.map((node) => node["Node Type"])).toContain("Bitmap Index Scan");
    expect(await names({ search: "ASS_31234" })).toEqual(["mass_31234"]);
    const [found] = (await f.users.list({ ...all, search: "ass_31234" })).users;
    await f.users.changeEmail(found?.id ?? "", "elsewhere@example.org", true, context());
    expect(await names({ search: "elsewhere" })).toEqual(["mass_31234"]);
    expect(await names({ search: "mass31234@" })).toEqual([]);
    await f.users.hardDelete(found?.id ?? "", context(), { ownerGuard: "warn" });
    expect(await names({ search: "elsewhere", status: "any" })).toEqual([]);
  });
});
