import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ImportedUser } from "../../../src/core/users/index.ts";
import { addUser, context, type Fixture, openFixture, refusal } from "./fixture.ts";

let f: Fixture;
beforeAll(async () => {
  f = await openFixture();
});
afterAll(() => f.close());

const nobody = "019f0000-0000-7000-8000-0000000000aa";
const bcrypt = `$2b$10$${"a".repeat(53)}`;

function row(username: string, overrides: Partial<ImportedUser> = {}): ImportedUser {
  return {
    email: null,
    phoneNumber: null,
    username,
    emailVerified: false,
    phoneVerified: false,
    bannedAt: null,
    bannedUntil: null,
    banReason: null,
    bannedBy: null,
    metadata: null,
    createdAt: null,
    updatedAt: null,
    passwordHash: null,
    hashAlgo: "",
    hashParams: null,
    ...overrides,
  };
}

async function outcomes(...rows: ImportedUser[]): Promise<string[]> {
  const report = await f.users.import(rows, context());
  return report.results.map((result) => [result.status, result.reason].filter(Boolean).join(" "));
}

describe("import", () => {
  it("inserts, skips and rejects row by row", async () => {
    const existing = await addUser(f, { email: "taken@example.com", username: "Taken_Name" });
    const report = await f.users.import(
      [
        row("import_one", { email: " One@Example.com ", emailVerified: true, phoneNumber: "+1 555 1000" }),
        row("abc"),
        row("taken_name"),
        row("import_two", { email: "TAKEN@example.com" }),
        row("import_one"),
        row("IMPORT_ONE"),
        row("import_three", { email: "one@example.com" }),
        row("import_four", { phoneNumber: "nonsense" }),
        row("import_five", { bannedBy: "x" }),
        row("import_six", { bannedBy: nobody }),
        row("import-seven", { bannedBy: existing.id, bannedAt: new Date(0), banReason: " as is " }),
        row("import_one_b", { email: "abc@" }),
        row("import_six"),
      ],
      context(),
    );
    expect(report.results.map(({ index, status, reason }) => `${index} ${status} ${reason}`.trim())).toEqual([
      "0 inserted",
      "1 rejected username_too_short",
      "2 skipped already_exists",
      "3 skipped already_exists",
      "4 skipped duplicate_in_batch",
      "5 skipped already_exists",
      "6 skipped duplicate_in_batch",
      "7 rejected invalid_phone_number",
      "8 rejected invalid_banned_by",
      "9 rejected invalid_banned_by",
      "10 inserted",
      "11 rejected invalid_email",
      "12 inserted",
    ]);
    expect(report).toMatchObject({ inserted: 3, skipped: 5, rejected: 5 });
    const one = await f.users.byUsername("import_one");
    expect(one).toMatchObject({
      id: report.results[0]?.userId,
      email: "one@example.com",
      emailVerified: true,
      phoneNumber: "+15551000",
      createdAt: f.clock.now(),
      metadata: {},
    });
    expect(report.results[2]?.userId).toBe("");
    expect(await f.users.byUsername("import-seven")).toMatchObject({
      bannedBy: existing.id,
      banReason: " as is ",
    });
  });

  it("takes over passwords of known kinds", async () => {
    expect(
      await outcomes(
        row("hash_bcrypt", { passwordHash: bcrypt, hashAlgo: "bcrypt", hashParams: `{"a":1}` }),
        row("hash_reset", { passwordHash: "anything", hashAlgo: "legacy-reset-required" }),
        row("hash_unknown", { passwordHash: "x", hashAlgo: "rot13" }),
        row("hash_params", { passwordHash: bcrypt, hashAlgo: "bcrypt", hashParams: "{" }),
        row("hash_empty", { passwordHash: bcrypt, hashAlgo: "bcrypt", hashParams: "" }),
        row("hash_blank", { passwordHash: " ", hashAlgo: "rot13" }),
      ),
    ).toEqual([
      "inserted",
      "inserted",
      "rejected unsupported_hash_algo",
      "rejected invalid_hash_params",
      "rejected invalid_hash_params",
      "inserted",
    ]);
    const user = await f.users.byUsername("hash_bcrypt");
    expect(await f.query(`SELECT * FROM S.user_passwords WHERE user_id = $1`, [user?.id])).toEqual([
      {
        user_id: user?.id,
        password_hash: bcrypt,
        hash_algo: "bcrypt",
        hash_params: { a: 1 },
        password_updated_at: f.clock.now(),
      },
    ]);
    const blank = await f.users.byUsername("hash_blank");
    expect(await f.query(`SELECT FROM S.user_passwords WHERE user_id = $1`, [blank?.id])).toEqual([]);
  });

  it("refuses what cannot be stored instead of failing", async () => {
    expect(
      await outcomes(
        row("nul_reason", { banReason: "a\u0000b" }),
        row("nul_meta", { metadata: { a: "\u0000" } }),
        row("fine_meta", { metadata: { a: "\\u0000", b: { c: [1, null, "é"] } } }),
      ),
    ).toEqual(["rejected invalid_request", "rejected invalid_request", "inserted"]);
    expect((await f.users.byUsername("fine_meta"))?.metadata).toEqual({
      a: "\\u0000",
      b: { c: [1, null, "é"] },
    });
  });

  it("answers nothing with nothing", async () => {
    expect(await f.users.import([], context())).toEqual({
      results: [],
      inserted: 0,
      skipped: 0,
      rejected: 0,
    });
  });

  it("imports several chunks quickly, twice at once without harm", async () => {
    const rows = Array.from({ length: 2500 }, (_, i) =>
      row(`bulk_${i}`, { email: `bulk${i}@example.com`, passwordHash: bcrypt, hashAlgo: "bcrypt" }),
    );
    const reports = await Promise.all([f.users.import(rows, context()), f.users.import(rows, context())]);
    expect((reports[0]?.inserted ?? 0) + (reports[1]?.inserted ?? 0)).toBe(2500);
    const [count] = await f.query(
      `SELECT count(*)::int AS n FROM S.users AS u JOIN S.user_passwords AS p ON p.user_id = u.id WHERE u.username LIKE 'bulk_%'`,
    );
    expect(count).toEqual({ n: 2500 });
  });
});

describe("updating an imported account", () => {
  it("overwrites what the contract overwrites and keeps the rest", async () => {
    const created = new Date("2020-01-01T00:00:00Z");
    const [result] = (
      await f.users.import(
        [
          row("update_me", {
            email: "keep@example.com",
            metadata: { a: 1, b: 1 },
            createdAt: created,
            bannedAt: new Date(),
          }),
        ],
        context(),
      )
    ).results;
    const id = result?.userId ?? "";
    f.clock.advance(5);
    const later = row("Updated_Me", {
      emailVerified: true,
      metadata: { b: 2 },
      createdAt: new Date("2021-01-01T00:00:00Z"),
    });
    expect(await f.users.updateImported(` ${id} `, later, context())).toMatchObject({
      email: "keep@example.com",
      username: "Updated_Me",
      emailVerified: true,
      bannedAt: null,
      metadata: { a: 1, b: 2 },
      createdAt: created,
      updatedAt: f.clock.now(),
    });
    expect(f.feed.published.at(-1)).toBe(`readmit:${id}`);
    expect(await f.users.aliases(id)).toEqual([]);
    const earlier = new Date("2019-01-01T00:00:00Z");
    expect(
      await f.users.updateImported(id, row("Updated_Me", { createdAt: earlier }), context()),
    ).toMatchObject({
      createdAt: earlier,
    });
  });

  it("ends the sessions of those it bans", async () => {
    const user = await addUser(f);
    await f.sessions.open({ userId: user.id, methods: [], origin: "registration" }, context());
    await f.users.updateImported(user.id, row("banned_by_update", { bannedAt: new Date() }), context());
    expect(await f.sessions.list(user.id)).toEqual([]);
    expect(f.feed.published.at(-1)).toBe(`user:${user.id}`);
  });

  it("refuses unknown accounts, bad values and taken names", async () => {
    const user = await addUser(f);
    const other = await addUser(f);
    const update = (id: string, given: ImportedUser) => refusal(f.users.updateImported(id, given, context()));
    expect(await update(" ", row("whoever"))).toBe("user_not_found");
    expect(await update(nobody, row("whoever"))).toBe("user_not_found");
    expect(await update(user.id, row("abc"))).toBe("username_too_short");
    expect(await update(user.id, row(other.username ?? ""))).toBe("owner_slug_taken");
    expect(await update(user.id, row("whoever", { email: other.email }))).toBe("email_in_use");
    expect(await update(user.id, row("whoever", { bannedBy: nobody }))).toBe("invalid_banned_by");
  });
});
