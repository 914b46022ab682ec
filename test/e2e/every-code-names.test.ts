import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, newPerson, registered } from "../support/accounts.ts";
import { type EveryRoute, openEveryRoute, subjectOf } from "../support/every-route.ts";
import { must, outcome } from "../support/expectation.ts";
import { call, request, type TestReply } from "../support/http.ts";
import { minted } from "../support/minted.ts";
import { testWallet } from "../unit/solana/wallet.ts";

let house: EveryRoute;
let sql: pg.Client;
beforeAll(async () => {
  house = await openEveryRoute("{ enabled: false }", { AUTHKIT_TOKEN_SKEW: "0s" });
  sql = new pg.Client({ connectionString: house.cluster.databaseUrl });
  await sql.connect();
});
afterAll(async () => {
  await sql?.end();
  await house?.close();
});

const names = [
  ["abc", "username_too_short"],
  ["a".repeat(31), "username_too_long"],
  ["1abcd", "username_must_start_with_letter"],
  ["ab@cd", "username_cannot_contain_at"],
  ["ab-cd", "username_invalid_characters"],
  ["admin", "username_not_allowed"],
] as const;

describe("a name nobody may have", () => {
  test.each(names)("%s: %s", async (username, code) => {
    const { email: identifier, password } = newPerson();
    const { address } = testWallet();
    const rename = { method: "PATCH", bearer: house.owner.bearer, body: { username } };
    const replies = {
      "PATCH /user/username": await api(house.cluster, "/user/username", rename),
      "POST /register": await api(house.cluster, "/register", { body: { identifier, username, password } }),
      "POST /solana/challenge": await api(house.cluster, "/solana/challenge", {
        body: { address, username },
      }),
    };
    for (const [row, reply] of Object.entries(replies))
      expect([row, ...outcome(reply)]).toEqual([row, 400, code]);
  });

  test("an address somebody has is not registered again", async () => {
    const one = await registered(house.cluster);
    const other = await registered(house.cluster, "phone");
    for (const [identifier, code] of [
      [one.email, "email_in_use"],
      [other.phone, "phone_in_use"],
    ]) {
      const { username, password } = newPerson();
      const reply = await api(house.cluster, "/register", { body: { identifier, username, password } });
      expect(outcome(reply)).toEqual([400, code]);
      // Nor is an account bound to it that was taken over.
      const path = `/admin/users/${subjectOf((await registered(house.cluster)).accessToken)}/recover`;
      const contact = code === "email_in_use" ? { email: identifier } : { phone_number: identifier };
      const recovery = await api(house.cluster, path, { bearer: house.owner.bearer, body: contact });
      expect(outcome(recovery)).toEqual([400, code]);
    }
  });
});

describe("a bearer that does not count", () => {
  const tokens: Readonly<Record<string, () => Promise<string | undefined>>> = {
    missing_token: async () => undefined,
    invalid_token: async () => "nonsense",
    token_expired: async () => {
      const { bearer, id } = house.owner;
      const token = await minted(house.cluster, id, bearer, 1);
      await sleep(2_100);
      return token;
    },
    user_disabled: () => minted(house.cluster, randomUUID(), house.owner.bearer),
    async token_revoked() {
      const { accessToken: bearer } = await registered(house.cluster);
      must(await api(house.cluster, "/logout", { method: "DELETE", bearer }));
      return bearer;
    },
  };

  test.each(Object.entries(tokens))("%s", async (code, make) => {
    const token = await make();
    const bearer = token === undefined ? {} : { bearer: token };
    const challenge = { address: testWallet().address, purpose: "link" };
    expect(outcome(await api(house.cluster, "/dev/whoami", bearer))).toEqual([401, code]);
    const linking = await api(house.cluster, "/solana/challenge", { body: challenge, ...bearer });
    expect(outcome(linking)).toEqual([401, code]);
  });

  test("an API key links no wallet, and bans nobody in its own name", async () => {
    const args = { persona: "root", instanceSlug: "", name: "k", role: "owner", expiresAt: null };
    const made = must(await call(house.cluster, "MintAPIKey", { ...args, createdBy: house.owner.id }));
    const bearer = String(Object(made.body["result"]).r1);
    const body = { address: testWallet().address, purpose: "link" };
    const linking = await api(house.cluster, "/solana/challenge", { body, bearer });
    expect(outcome(linking)).toEqual([401, "authentication_required"]);
    const path = `/admin/users/${house.owner.id}/ban`;
    const banning = await api(house.cluster, path, { bearer, body: { until: "infinite" } });
    expect(outcome(banning)).toEqual([401, "unauthorized"]);
  });
});

describe("sessions", () => {
  test("the one of a refresh token", async () => {
    const { refreshToken, accessToken: bearer } = await registered(house.cluster);
    const body = { refresh_token: refreshToken };
    const current = must(await api(house.cluster, "/sessions/current", { body }));
    const listed = must(await api(house.cluster, "/user/sessions", { bearer })).body["data"];
    expect(listed).toEqual([expect.objectContaining({ session_id: current.body["session_id"] })]);
  });

  test("a blank id is none", async () => {
    const { accessToken: bearer } = await registered(house.cluster);
    const reply = await api(house.cluster, "/user/sessions/%20", { method: "DELETE", bearer });
    expect(outcome(reply)).toEqual([400, "missing_session_id"]);
  });

  test("of an account banned behind our back are not continued", async () => {
    const { refreshToken, accessToken } = await registered(house.cluster);
    await sql.query("UPDATE profiles.users SET banned_at = now() WHERE id = $1", [subjectOf(accessToken)]);
    const body = { grant_type: "refresh_token", refresh_token: refreshToken };
    expect(outcome(await api(house.cluster, "/token", { body }))).toEqual([401, "user_banned"]);
  });

  test("nobody is signed in whom the database bans as he registers", async () => {
    await sql.query(`CREATE FUNCTION ban_spammers() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN NEW.banned_at := now(); RETURN NEW; END $$`);
    await sql.query(`CREATE TRIGGER ban_spammers BEFORE INSERT ON profiles.users
      FOR EACH ROW WHEN (NEW.username LIKE 'spam%') EXECUTE FUNCTION ban_spammers()`);
    const { email: identifier, username, password } = newPerson();
    const body = { identifier, username: `spam${username}`, password };
    const reply: TestReply = await api(house.cluster, "/register", { body });
    expect(outcome(reply)).toEqual([401, "user_banned"]);
  });
});

describe("results of a sign-in elsewhere", () => {
  test("are not had for a body that is none", async () => {
    const reply = await request(`${house.cluster.api}/oidc/result`, { body: "{" });
    expect(outcome(reply)).toEqual([400, "invalid_request"]);
  });
});
