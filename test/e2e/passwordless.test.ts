import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import {
  api,
  behindProxy,
  messagesTo,
  messageTo,
  newAddress,
  newPerson,
  registered,
} from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { call, type TestReply } from "../support/http.ts";
import { until } from "../support/outcome.ts";

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_CONFIG: await unlimited(),
      AUTHKIT_PASSWORDLESS: "true",
      AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true",
      AUTHKIT_TOTP_SECRET_KEY: "22".repeat(32),
    },
  });
});
afterAll(() => cluster.stop());

const start = (body: Record<string, unknown>): Promise<TestReply> =>
  api(cluster, "/passwordless/start", { body });
const confirm = (body: Record<string, unknown>): Promise<TestReply> =>
  api(cluster, "/passwordless/confirm", { body });

function claims(reply: TestReply): Record<string, unknown> {
  const token = String(reply.body["access_token"]);
  const parsed: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  return typeof parsed === "object" && parsed !== null ? Object.fromEntries(Object.entries(parsed)) : {};
}

describe("start", () => {
  test("refuses what is no contact, before anything else", async () => {
    const refusal = async (body: Record<string, unknown>) => {
      const reply = await start(body);
      return [reply.status, reply.code];
    };
    expect(await refusal({})).toEqual([400, "invalid_request"]);
    expect(await refusal({ identifier: "a@b@c" })).toEqual([400, "invalid_email"]);
    expect(await refusal({ identifier: "just-a-name" })).toEqual([400, "invalid_phone_number"]);
    expect(await refusal({ identifier: "a@b@c", preferred_language: "klingon" })).toEqual([
      400,
      "invalid_email",
    ]);
    expect(await refusal({ email: newPerson().email, preferred_language: "klingon" })).toEqual([
      400,
      "invalid_preferred_language",
    ]);
  });

  test("answers alike for everybody", async () => {
    const known = await registered(cluster);
    const replies = await Promise.all([
      start({ identifier: known.email }),
      start({ email: newPerson().email }),
      start({ phone_number: newPerson().phone }),
    ]);
    for (const reply of replies) {
      expect(reply.status).toBe(202);
      expect(reply.body).toEqual({ ok: true });
    }
  });

  test("sends a code, a link or both", async () => {
    const [code, link, both] = [newPerson(), newPerson(), newPerson()];
    await start({ email: code.email, mode: "CODE" });
    await start({ email: link.email, mode: "link" });
    await start({ email: both.email, mode: "whatever" });
    const sent = await Promise.all([code, link, both].map(({ email }) => messageTo(cluster, email)));
    expect(sent.map((message) => [message.code !== "", message.token !== ""])).toEqual([
      [true, false],
      [false, true],
      [true, true],
    ]);
    expect(sent[1]?.url).toMatch(/\/passwordless\?channel=email&token=[\w-]{43}$/);
  });
});

describe("confirm", () => {
  test("a new contact becomes a verified account without a password", async () => {
    const { email } = newPerson();
    await start({ email, return_to: "/checkout?plan=pro" });
    const { code } = await messageTo(cluster, email);
    const reply = await confirm({ email, code });
    expect(reply.status).toBe(200);
    expect(reply.body["return_to"]).toBe("/checkout?plan=pro");
    expect(claims(reply)["amr"]).toEqual(["email"]);
    const me = await api(cluster, "/me", { bearer: String(reply.body["access_token"]) });
    expect(me.body).toMatchObject({ email, email_verified: true, has_password: false });
    expect(String(me.body["username"])).toMatch(/^p[0-9a-f]+$/);
    const again = await confirm({ email, code });
    expect([again.status, again.code]).toEqual([400, "invalid_or_expired_code"]);
  });

  test("a phone number signs in by SMS, and gives its digits to nobody", async () => {
    const { phone } = newPerson();
    await start({ phone_number: phone });
    const { code } = await messageTo(cluster, phone);
    const reply = await confirm({ identifier: phone, code });
    expect(claims(reply)["amr"]).toEqual(["sms"]);
    const me = await api(cluster, "/me", { bearer: String(reply.body["access_token"]) });
    expect(me.body).toMatchObject({ phone_number: phone, phone_verified: true });
    expect(String(me.body["username"])).not.toContain(phone.slice(4));
  });

  test("an existing account is found by link too; a foreign place to return to is dropped", async () => {
    const account = await registered(cluster);
    const before = (await messagesTo(cluster, account.email)).length;
    await start({ identifier: account.email, return_to: "https://evil.example" });
    const { token } = await messageTo(cluster, account.email, before + 1);
    const reply = await confirm({ token });
    expect(reply.status).toBe(200);
    expect(reply.body).not.toHaveProperty("return_to");
    const me = await api(cluster, "/me", { bearer: String(reply.body["access_token"]) });
    expect(me.body["username"]).toBe(account.username);
    expect((await confirm({ token })).code).toBe("invalid_or_expired_code");
  });

  test.each(["code", "token"] as const)("100 parallel confirmations of one %s: one session", async (kind) => {
    const { email } = newPerson();
    await start({ email });
    const message = await messageTo(cluster, email);
    const body = kind === "code" ? { email, code: message.code } : { token: message.token };
    const replies = await Promise.all(Array.from({ length: 100 }, () => confirm(body)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const reply of replies.filter(({ status }) => status !== 200))
      expect([reply.status, reply.code]).toEqual([400, "invalid_or_expired_code"]);
  });

  // More guesses than a code allows, so that one that is not looked at can overtake one that is.
  test("a right code wins over the guesses that come too late, every time", async () => {
    const people = await Promise.all(
      Array.from({ length: 40 }, async () => {
        const { email } = newPerson();
        await start({ email });
        return { email, code: (await messageTo(cluster, email)).code };
      }),
    );
    const opened = await Promise.all(
      people.map(async (body) => {
        const replies = await Promise.all(Array.from({ length: 8 }, () => confirm(body)));
        return replies.filter(({ status }) => status === 200).length;
      }),
    );
    expect(opened).toEqual(people.map(() => 1));
  });

  test("a six-digit code is no token, whoever's it is", async () => {
    const { email } = newPerson();
    await start({ email });
    const { code } = await messageTo(cluster, email);
    expect((await confirm({ token: code })).code).toBe("invalid_or_expired_code");
    expect((await confirm({ email: newPerson().email, code })).code).toBe("invalid_or_expired_code");
    expect((await confirm({ email, code })).status).toBe(200);
  });

  test("five wrong codes kill the code, not the link", async () => {
    const { email } = newPerson();
    await start({ email });
    const { code, token } = await messageTo(cluster, email);
    const wrong = code === "000000" ? "000001" : "000000";
    for (let guess = 0; guess < 5; guess++)
      expect((await confirm({ email, code: wrong })).code).toBe("invalid_or_expired_code");
    expect((await confirm({ email, code })).code).toBe("invalid_or_expired_code");
    expect((await confirm({ token })).status).toBe(200);
  });

  test("whoever's code five guesses killed asks for another, and that one works", async () => {
    const { email } = newPerson();
    await start({ email });
    const { code } = await messageTo(cluster, email);
    const wrong = code === "000000" ? "000001" : "000000";
    for (let guess = 0; guess < 5; guess++) await confirm({ email, code: wrong });
    await start({ email });
    const next = await messageTo(cluster, email, 2);
    expect((await confirm({ email, code: next.code })).status).toBe(200);
  });

  test("a restart voids the earlier message", async () => {
    const { email } = newPerson();
    await start({ email });
    const first = await messageTo(cluster, email);
    await start({ email });
    const second = await messageTo(cluster, email, 2);
    expect((await confirm({ token: first.token })).code).toBe("invalid_or_expired_code");
    expect((await confirm({ email, code: second.code })).status).toBe(200);
  });

  test("a banned account is refused, its code is not proof of anything else", async () => {
    const account = await registered(cluster);
    const found = await call(cluster, "GetUserByEmail", { email: account.email });
    const user = found.body["result"];
    const userID = typeof user === "object" && user !== null ? Reflect.get(user, "ID") : "";
    const before = (await messagesTo(cluster, account.email)).length;
    await start({ email: account.email });
    const { code } = await messageTo(cluster, account.email, before + 1);
    await call(cluster, "BanUser", { userID, reason: null, until: null, bannedBy: "" });
    const reply = await confirm({ email: account.email, code });
    expect([reply.status, reply.code]).toEqual([401, "user_banned"]);
  });

  test("a refused confirmation is part of the history of whoever has the contact", async () => {
    const known = await registered(cluster);
    const ip = newAddress();
    const refused = async (body: Record<string, unknown>) =>
      (await api(cluster, "/passwordless/confirm", { body, ip })).code;
    expect(await refused({ email: known.email, code: "000000" })).toBe("invalid_or_expired_code");
    expect(await refused({ email: newPerson().email, code: "000000" })).toBe("invalid_or_expired_code");
    expect(await refused({ token: "x".repeat(43) })).toBe("invalid_or_expired_code");
    expect(await refused({ email: "a@b@c", code: "000000" })).toBe("invalid_email");
    const sql = new pg.Client({ connectionString: cluster.databaseUrl });
    await sql.connect();
    const { rows } = await sql.query(
      `SELECT coalesce(u.email::text, '') AS email, e.event, e.reason FROM profiles.session_events AS e
       LEFT JOIN profiles.users AS u ON u.id::text = e.user_id::text WHERE e.ip_addr = $1 ORDER BY e.occurred_at`,
      [ip],
    );
    await sql.end();
    const event = "session_failed";
    const reason = "invalid_or_expired_passwordless_code";
    expect(rows).toEqual([
      { email: known.email, event, reason },
      { email: "", event, reason },
      { email: "", event, reason },
      { email: "", event, reason: "passwordless_failed" },
    ]);
  });

  test("missing and malformed", async () => {
    for (const body of [{}, { code: "123456" }, { identifier: newPerson().email }])
      expect([(await confirm(body)).status, (await confirm(body)).code]).toEqual([400, "invalid_request"]);
    expect((await confirm({ identifier: "nobody", code: "123456" })).code).toBe("invalid_phone_number");
    expect((await confirm({ email: "a@b@c", code: "123456" })).code).toBe("invalid_email");
  });

  test("a second factor follows, and it is another one than the mailbox", async () => {
    const account = await registered(cluster);
    const bearer = account.accessToken;
    await api(cluster, "/user/2fa", { body: { method: "email" }, bearer });
    const started = await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer });
    const secret = String(started.body["secret"]);
    const step = Math.floor(Date.now() / 1000 / totpPeriod);
    await api(cluster, "/user/2fa", { body: { method: "totp", code: totpCode(secret, step - 1) }, bearer });
    await start({ email: account.email, mode: "code", return_to: "/basket" });
    let code = "";
    // Notices about the new factors arrive in between.
    await until("the code", 10, async () => {
      code = (await messagesTo(cluster, account.email)).map((message) => message.code).join("");
      return code !== "";
    });
    const handOff = await confirm({ email: account.email, code });
    expect(handOff.body).toMatchObject({ requires_2fa: true, method: "totp", return_to: "/basket" });
    expect(JSON.stringify(handOff.body["available_factors"])).not.toContain("email");
    const done = await api(cluster, "/2fa/verify", {
      body: {
        user_id: handOff.body["user_id"],
        challenge: handOff.body["challenge"],
        code: totpCode(secret, step),
      },
    });
    expect(done.status, done.text).toBe(200);
    expect(claims(done)["amr"]).toEqual(expect.arrayContaining(["email", "otp", "mfa"]));
  });
});

describe("a trusted caller", () => {
  const begin = (on: TestCluster, Identifier: string, change: object = {}) =>
    call(on, "StartPasswordless", {
      req: { Identifier, Mode: "", ReturnTo: "", PreferredLanguage: "", AccountInviteToken: "", ...change },
    });
  const result = ({ body }: TestReply, member: string): string =>
    String(Reflect.get(Object(body["result"]), member));

  test("has the message sent, and gets the secrets beside", async () => {
    const { email } = newPerson();
    const started = await begin(cluster, email, { ReturnTo: "/x" });
    expect(started.status).toBe(200);
    expect(started.body["result"]).toMatchObject({ Sent: true, Channel: "email" });
    const link = result(started, "LinkURL");
    const message = await messageTo(cluster, email);
    expect([message.code, message.url]).toEqual([result(started, "Code"), link]);
    const wrong = await call(cluster, "ConfirmPasswordlessCode", { identifier: email, code: "no" });
    expect([wrong.status, wrong.code]).toEqual([422, "invalid_token"]);
    const failed = await call(cluster, "RecordFailedPasswordlessCode", { identifier: email });
    expect([failed.status, failed.body["result"]]).toEqual([200, null]);
    for (const identifier of ["nonsense", " "]) {
      const cleared = await call(cluster, "ClearPasswordlessCodeAttempts", { identifier });
      expect([cleared.status, cleared.body["result"]]).toEqual([200, null]);
    }
    const confirmed = await call(cluster, "ConfirmPasswordlessCode", {
      identifier: email,
      code: result(started, "Code"),
    });
    expect(confirmed.body["result"]).toMatchObject({ Method: "passwordless_email", ReturnTo: "/x" });
    const token = new URL(link).searchParams.get("token");
    const spent = await call(cluster, "ConfirmPasswordlessToken", { token });
    expect([spent.status, spent.code]).toEqual([422, "invalid_token"]);
  });

  test("who counts wrong codes starts anew after a right one", async () => {
    const { email } = newPerson();
    const record = () => call(cluster, "RecordFailedPasswordlessCode", { identifier: email });
    const started = await begin(cluster, email);
    for (let count = 1; count <= 4; count++) await record();
    const confirm = async (reply: TestReply) =>
      (await call(cluster, "ConfirmPasswordlessCode", { identifier: email, code: result(reply, "Code") }))
        .status;
    expect(await confirm(started)).toBe(200);
    const next = await begin(cluster, email);
    await record();
    expect(await confirm(next)).toBe(200);
    const last = await begin(cluster, email);
    for (let count = 1; count <= 5; count++) await record();
    expect(await confirm(last)).toBe(422);
  });

  test("of a server by invite only, and without SMS, learns what stood in the way", async () => {
    const closed = await startCluster({
      env: {
        AUTHKIT_PASSWORDLESS: "true",
        AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true",
        AUTHKIT_REGISTRATION_MODE: "invite_only",
        AUTHKIT_SMS_SENDER: "none",
      },
    });
    try {
      const stranger = newPerson();
      const silent = await begin(closed, stranger.email);
      expect(silent.text).toBe('{"result":{"Sent":false,"Channel":"email","Code":"","LinkURL":""}}\n');
      const silentToo = await begin(closed, stranger.phone);
      expect(silentToo.text).toBe('{"result":{"Sent":false,"Channel":"sms","Code":"","LinkURL":""}}\n');
      expect((await begin(closed, " ")).code).toBe("invalid_token");

      const { phone, username } = newPerson();
      await call(closed, "ImportUsers", { inputs: [{ Username: username, PhoneNumber: phone }] });
      const mute = await begin(closed, phone);
      expect([mute.status, mute.code]).toEqual([422, "sms_unavailable"]);

      const owner = await call(closed, "CreateUser", { email: "", username: "inviting" });
      const root = await call(closed, "EnsureRootGroup", {});
      await call(closed, "AssignRoleBySlug", { userID: result(owner, "ID"), slug: "owner" });
      const made = await call(closed, "CreateAccountRegistrationInvite", {
        req: { Email: stranger.email, InvitedBy: result(owner, "ID") },
      });
      expect([root.status, made.status, made.text]).toEqual([200, 200, made.text]);
      const started = await begin(closed, stranger.email, { AccountInviteToken: result(made, "Code") });
      expect(started.body["result"]).toMatchObject({ Sent: true });
      await call(closed, "RevokeAccountRegistrationInvite", {
        inviteID: result(made, "ID"),
        actorUserID: result(owner, "ID"),
      });
      const late = await call(closed, "ConfirmPasswordlessCode", {
        identifier: stranger.email,
        code: result(started, "Code"),
      });
      expect([late.status, late.code]).toEqual([422, "account_registration_invite_revoked"]);

      const invited = async () => {
        const req = { Email: newPerson().email, InvitedBy: result(owner, "ID") };
        return call(closed, "CreateAccountRegistrationInvite", { req });
      };
      const confirm = async (email: string, code: string) =>
        call(closed, "ConfirmPasswordlessCode", { identifier: email, code });
      const [one, two] = [newPerson().email, newPerson().email];
      const shared = { AccountInviteToken: result(await invited(), "Code") };
      const [first, second] = [await begin(closed, one, shared), await begin(closed, two, shared)];
      expect((await confirm(one, result(first, "Code"))).status).toBe(200);
      const used = await confirm(two, result(second, "Code"));
      expect([used.status, used.code]).toEqual([422, "account_registration_invite_consumed"]);

      const slow = newPerson().email;
      const ending = await invited();
      const waiting = await begin(closed, slow, { AccountInviteToken: result(ending, "Code") });
      const sql = new pg.Client({ connectionString: closed.databaseUrl });
      await sql.connect();
      await sql.query("UPDATE profiles.account_registration_invites SET expires_at = now() WHERE id = $1", [
        result(ending, "ID"),
      ]);
      await sql.end();
      const expired = await confirm(slow, result(waiting, "Code"));
      expect([expired.status, expired.code]).toEqual([422, "account_registration_invite_expired"]);
    } finally {
      await closed.stop();
    }
  });
});
