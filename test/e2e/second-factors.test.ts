import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import { api, behindProxy, messagesTo, messageTo, newPerson, registered } from "../support/accounts.ts";
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
      AUTHKIT_TOTP_SECRET_KEY: "22".repeat(32),
    },
  });
});
afterAll(() => cluster.stop());

type Account = Awaited<ReturnType<typeof registered>>;

function codeNow(secret: string, offset = 0): string {
  return totpCode(secret, Math.floor(Date.now() / 1000 / totpPeriod) + offset);
}

function text(reply: TestReply, name: string): string {
  return String(reply.body[name]);
}

function texts(value: unknown): string[] {
  if (!Array.isArray(value)) throw new Error(`no list: ${JSON.stringify(value)}`);
  return value.map(String);
}

/** A new account with an authenticator app, and what came of it. */
async function withTotp(): Promise<Account & { secret: string; backupCodes: string[]; factorId: string }> {
  const account = await registered(cluster);
  const bearer = account.accessToken;
  const started = await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer });
  const secret = text(started, "secret");
  // The enrolment uses up its own step: the previous one leaves the present one for the login.
  const enrolled = await api(cluster, "/user/2fa", {
    body: { method: "totp", code: codeNow(secret, -1) },
    bearer,
  });
  const state = await api(cluster, "/user/2fa", { bearer });
  const factor = state.body["default_factor"];
  const factorId = typeof factor === "object" && factor !== null ? String(Reflect.get(factor, "id")) : "";
  return { ...account, secret, backupCodes: texts(enrolled.body["backup_codes"]), factorId };
}

async function login(account: Pick<Account, "email" | "password">): Promise<TestReply> {
  return api(cluster, "/password/login", { body: { email: account.email, password: account.password } });
}

const verify = (handOff: TestReply, code: string, more: Record<string, unknown> = {}): Promise<TestReply> =>
  api(cluster, "/2fa/verify", {
    body: { user_id: handOff.body["user_id"], challenge: handOff.body["challenge"], code, ...more },
  });

/** Waits for a message that says so. */
async function notice(to: string, words: string): Promise<void> {
  await until(`"${words}"`, 10, async () =>
    (await messagesTo(cluster, to)).some((m) => m.text.includes(words)),
  );
}

async function query(sql: string, values: readonly unknown[]) {
  const client = new pg.Client({ connectionString: cluster.databaseUrl });
  await client.connect();
  try {
    return await client.query(sql, [...values]);
  } finally {
    await client.end();
  }
}

function claims(token: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  if (typeof parsed !== "object" || parsed === null) throw new Error("no claims");
  return Object.fromEntries(Object.entries(parsed));
}

describe("enrolment", () => {
  test("an account without factors says so", async () => {
    const { accessToken } = await registered(cluster);
    const reply = await api(cluster, "/user/2fa", { bearer: accessToken });
    expect(reply.status).toBe(200);
    expect(reply.body).toMatchObject({ enabled: false, method: "email" });
    expect(texts(reply.body["allowed_methods"])).toContain("totp");
    expect(reply.body).not.toHaveProperty("factors");
  });

  test("an authenticator app: secret, proof, ten backup codes shown once", async () => {
    const account = await registered(cluster);
    const bearer = account.accessToken;
    const started = await api(cluster, "/user/2fa", { body: { method: " TOTP " }, bearer });
    expect(started.status).toBe(200);
    expect(text(started, "secret")).toMatch(/^[A-Z2-7]{32}$/);
    expect(text(started, "otpauth_uri")).toContain(`secret=${text(started, "secret")}`);
    const wrong = await api(cluster, "/user/2fa", { body: { method: "totp", code: "000000" }, bearer });
    expect([wrong.status, wrong.code]).toEqual([400, "invalid_code"]);
    const code = codeNow(text(started, "secret"));
    const enrolled = await api(cluster, "/user/2fa", { body: { method: "totp", code }, bearer });
    expect(enrolled.body).toMatchObject({ enabled: true, method: "totp" });
    expect(new Set(texts(enrolled.body["backup_codes"])).size).toBe(10);
    // Its own step is used up: the code that enrolled does not sign in.
    const reused = await verify(await login(account), code);
    expect([reused.status, reused.code]).toEqual([401, "invalid_code"]);
    const state = await api(cluster, "/user/2fa", { bearer });
    expect(state.body).toMatchObject({ enabled: true, method: "totp", backup_codes_remaining: 10 });
  });

  test("refusals: unknown method, sms without and with a bad number, no proof begun", async () => {
    const { accessToken: bearer } = await registered(cluster);
    const enrol = async (body: unknown) => {
      const reply = await api(cluster, "/user/2fa", { body, bearer });
      return [reply.status, reply.code];
    };
    expect(await enrol({ method: "carrier-pigeon" })).toEqual([400, "invalid_method"]);
    expect(await enrol({})).toEqual([400, "invalid_method"]);
    expect(await enrol({ method: "totp", code: "123456" })).toEqual([400, "invalid_code"]);
    expect(await enrol({ method: "sms" })).toEqual([400, "phone_and_code_required"]);
    expect(await enrol({ method: "sms", phone: "015112345" })).toEqual([400, "phone_number_must_be_e164"]);
    expect(await enrol({ method: "sms", phone_number: "+4915112345678", code: "1" })).toEqual([
      400,
      "invalid_code",
    ]);
    expect(await enrol({ default: true, factor_id: "019f0000-0000-7000-8000-0000000000f1" })).toEqual([
      404,
      "not_found",
    ]);
  });

  test("sms: a code to the number, bound to it", async () => {
    const account = await registered(cluster);
    const bearer = account.accessToken;
    const phone = account.phone;
    const sent = await api(cluster, "/user/2fa", { body: { method: "sms", phone }, bearer });
    expect(sent.body).toEqual({ ok: true, method: "sms" });
    const { code } = await messageTo(cluster, phone);
    const other = await api(cluster, "/user/2fa", {
      body: { method: "sms", phone: "+4915100000001", code },
      bearer,
    });
    expect(other.code).toBe("invalid_code");
    const enrolled = await api(cluster, "/user/2fa", { body: { method: "sms", phone, code }, bearer });
    expect(enrolled.body).toMatchObject({ enabled: true, method: "sms" });
    const state = await api(cluster, "/user/2fa", { bearer });
    expect(state.body).toMatchObject({ method: "sms", phone_number: phone });
    const me = await api(cluster, "/me", { bearer });
    expect(me.body).toMatchObject({ mfa_enabled: true, mfa_satisfied: true });
  });

  test("e-mail: a verified address is enrolled at once, the session stays as it was", async () => {
    const { accessToken: bearer } = await registered(cluster);
    const enrolled = await api(cluster, "/user/2fa", { body: { method: "email" }, bearer });
    expect(enrolled.body).toMatchObject({ enabled: true, method: "email" });
  });

  test("e-mail: an unverified address proves itself by a code", async () => {
    const account = newPerson();
    const created = await call(cluster, "CreateUser", { email: account.email, username: account.username });
    const result = created.body["result"];
    const userID = typeof result === "object" && result !== null ? Reflect.get(result, "ID") : "";
    await call(cluster, "AdminSetPassword", { userID, new: account.password });
    const bearer = text(await login(account), "access_token");
    const before = (await messagesTo(cluster, account.email)).length;
    const sent = await api(cluster, "/user/2fa", { body: { method: "email" }, bearer });
    expect(sent.body).toEqual({ ok: true, method: "email" });
    const { code } = await messageTo(cluster, account.email, before + 1);
    const enrolled = await api(cluster, "/user/2fa", { body: { method: "email", code }, bearer });
    expect(enrolled.body).toMatchObject({ enabled: true, method: "email" });
    const handOff = await login(account);
    expect(handOff.body).toMatchObject({ requires_2fa: true, method: "email" });
    expect(text(handOff, "verification_id")).toBe(
      "*".repeat(account.email.length - 5) + account.email.slice(-5),
    );
  });

  test("50 confirmations at once enrol once", async () => {
    const { accessToken: bearer } = await registered(cluster);
    const started = await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer });
    const code = codeNow(text(started, "secret"));
    const replies = await Promise.all(
      Array.from({ length: 50 }, () => api(cluster, "/user/2fa", { body: { method: "totp", code }, bearer })),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(replies.filter(({ body }) => body["backup_codes"] !== undefined)).toHaveLength(1);
  });
});

describe("login", () => {
  test("password, then code: tokens that say so; a code, a challenge and a step are good once", async () => {
    const account = await withTotp();
    const handOff = await login(account);
    expect(handOff.status).toBe(200);
    expect(handOff.body).toMatchObject({
      requires_2fa: true,
      method: "totp",
      verification_id: "************r app",
      default_factor: { id: account.factorId, method: "totp", is_default: true },
    });
    expect(handOff.body).not.toHaveProperty("access_token");
    const code = codeNow(account.secret);
    const done = await verify(handOff, code);
    expect(done.status).toBe(200);
    const token = claims(text(done, "access_token"));
    expect(token["amr"]).toEqual(expect.arrayContaining(["pwd", "otp", "mfa"]));
    expect(token["mfa_enrolled"]).toBe(true);
    expect([(await verify(handOff, code)).status, (await verify(handOff, code)).code]).toEqual([
      401,
      "invalid_challenge",
    ]);
    const again = await verify(await login(account), code);
    expect([again.status, again.code]).toEqual([401, "invalid_code"]);
  });

  test("50 parallel presentations of one code open one session", async () => {
    const account = await withTotp();
    const handOff = await login(account);
    const code = codeNow(account.secret);
    const replies = await Promise.all(Array.from({ length: 50 }, () => verify(handOff, code)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    for (const reply of replies.filter(({ status }) => status !== 200)) expect(reply.status).toBe(401);
  });

  test("a right code wins over the guesses that come too late, every time", async () => {
    const accounts = await Promise.all(Array.from({ length: 20 }, () => withTotp()));
    const opened = await Promise.all(
      accounts.map(async (account) => {
        const handOff = await login(account);
        const code = codeNow(account.secret);
        const replies = await Promise.all(Array.from({ length: 8 }, () => verify(handOff, code)));
        return replies.filter(({ status }) => status === 200).length;
      }),
    );
    expect(opened).toEqual(accounts.map(() => 1));
  });

  test("a backup code opens one session for whoever presents it first", async () => {
    const account = await withTotp();
    const [first = "", second = ""] = account.backupCodes;
    const handOffs = await Promise.all(Array.from({ length: 50 }, () => login(account)));
    const replies = await Promise.all(handOffs.map((one) => verify(one, first, { backup_code: true })));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    const lower = await verify(await login(account), second.toLowerCase(), { backup_code: true });
    expect(lower.status).toBe(200);
    const spent = await verify(await login(account), second, { backup_code: true });
    expect([spent.status, spent.code]).toEqual([401, "invalid_code"]);
  });

  test("five wrong codes kill the challenge", async () => {
    const account = await withTotp();
    const handOff = await login(account);
    for (let guess = 0; guess < 5; guess++) {
      const reply = await verify(handOff, "000000");
      expect([reply.status, reply.code]).toEqual([401, "invalid_code"]);
    }
    const right = await verify(handOff, codeNow(account.secret));
    expect([right.status, right.code]).toEqual([401, "invalid_challenge"]);
  });

  test("missing fields, foreign challenges, other people's challenges", async () => {
    const account = await withTotp();
    const handOff = await login(account);
    const stranger = await withTotp();
    const missing = await api(cluster, "/2fa/verify", { body: { user_id: "x", code: "123456" } });
    expect([missing.status, missing.code]).toEqual([400, "missing_fields"]);
    const swapped = await api(cluster, "/2fa/verify", {
      body: {
        user_id: claims(stranger.accessToken)["sub"],
        challenge: handOff.body["challenge"],
        code: codeNow(stranger.secret),
      },
    });
    expect([swapped.status, swapped.code]).toEqual([401, "invalid_challenge"]);
    const unknown = await api(cluster, "/2fa/challenge", {
      body: { user_id: "x", challenge: "y", factor_id: "z" },
    });
    expect([unknown.status, unknown.code]).toEqual([401, "invalid_challenge"]);
    const fields = await api(cluster, "/2fa/challenge", { body: { user_id: "x" } });
    expect([fields.status, fields.code]).toEqual([400, "missing_fields"]);
  });

  test("another factor can be chosen; its code is sent and works", async () => {
    const account = await withTotp();
    const bearer = account.accessToken;
    await api(cluster, "/user/2fa", { body: { method: "sms", phone: account.phone }, bearer });
    const setup = await messageTo(cluster, account.phone);
    await api(cluster, "/user/2fa", {
      body: { method: "sms", phone: account.phone, code: setup.code },
      bearer,
    });
    const handOff = await login(account);
    const factors = handOff.body["available_factors"];
    if (!Array.isArray(factors)) throw new Error("no factors");
    const sms = factors.find((factor: unknown) => JSON.stringify(factor).includes("sms"));
    // Whoever only knows the password does not learn the number.
    expect(JSON.stringify(sms)).not.toContain(account.phone);
    const sent = await api(cluster, "/2fa/challenge", {
      body: { user_id: handOff.body["user_id"], challenge: handOff.body["challenge"], factor_id: sms.id },
    });
    expect(sent.body).toMatchObject({ requires_2fa: true, method: "sms" });
    const { code } = await messageTo(cluster, account.phone, 2);
    expect((await verify(handOff, code, { factor_id: sms.id })).status).toBe(200);
    const gone = await api(cluster, "/2fa/challenge", {
      body: { user_id: handOff.body["user_id"], challenge: handOff.body["challenge"], factor_id: sms.id },
    });
    expect(gone.code).toBe("invalid_challenge");
  });

  test("a ban between the factors wins", async () => {
    const account = await withTotp();
    const handOff = await login(account);
    const until = new Date(Date.now() + 60_000).toISOString();
    const ban = await call(cluster, "BanUser", {
      userID: handOff.body["user_id"],
      reason: "abuse",
      until,
      bannedBy: "",
    });
    expect(ban.status).toBe(200);
    const reply = await verify(handOff, codeNow(account.secret));
    expect([reply.status, reply.code]).toEqual([401, "user_banned"]);
  });

  test("a session from before the enrolment gets the hand-off at its refresh, and its token replaces no factor", async () => {
    const account = await registered(cluster);
    const older = await login(account);
    const bearer = account.accessToken;
    const started = await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer });
    await api(cluster, "/user/2fa", {
      body: { method: "totp", code: codeNow(text(started, "secret")) },
      bearer,
    });
    const refreshed = await api(cluster, "/token", {
      body: { grant_type: "refresh_token", refresh_token: older.body["refresh_token"] },
    });
    expect(refreshed.body).toMatchObject({
      error: "2fa_enrollment_required",
      requires_2fa_enrollment: true,
    });
    // Whoever knows how completes the sign-in instead.
    expect(refreshed.body).toMatchObject({
      requires_2fa: true,
      user_id: claims(account.accessToken)["sub"],
      default_factor: { method: "totp", is_default: true },
      available_factors: [{ method: "totp" }],
    });
    const completed = await verify(refreshed, codeNow(text(started, "secret"), 1));
    expect(completed.status, completed.text).toBe(200);
    expect(claims(text(completed, "access_token"))["amr"]).toEqual(["pwd", "otp", "mfa"]);
    const t2 = text(refreshed, "access_token");
    const replace = await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer: t2 });
    expect([replace.status, replace.code]).toEqual([403, "forbidden"]);
    const remove = await api(cluster, "/user/2fa", { method: "DELETE", bearer: t2 });
    expect([remove.status, remove.code]).toEqual([403, "step_up_required"]);
    expect((await api(cluster, "/me", { bearer: t2 })).status).toBe(403);
    // The session that proved the factor goes on.
    const own = await api(cluster, "/token", {
      body: { grant_type: "refresh_token", refresh_token: account.refreshToken },
    });
    expect(claims(text(own, "access_token"))["amr"]).toEqual(expect.arrayContaining(["otp", "mfa"]));
  });
});

describe("guessing", () => {
  test("twenty wrong codes in a row, over any number of sign-ins, lock the factor and tell the owner", async () => {
    const account = await withTotp();
    for (let round = 0; round < 4; round++) {
      const handOff = await login(account);
      for (let guess = 0; guess < 5; guess++) {
        const wrong = await verify(handOff, "not-it");
        expect([wrong.status, wrong.code]).toEqual([401, "invalid_code"]);
      }
    }
    const locked = await verify(await login(account), codeNow(account.secret));
    expect([locked.status, locked.code]).toEqual([429, "rate_limited"]);
    expect(Number(locked.headers.get("retry-after"))).toBeGreaterThan(880);
    expect(JSON.stringify(locked.body)).toContain('"action":"2fa_verify"');
    const backup = { backup_code: true };
    const other = await verify(await login(account), account.backupCodes[0] ?? "", backup);
    expect(other.status).toBe(429);
    await notice(account.email, "many wrong codes");
  });

  test("a right code forgives the wrong ones before it", async () => {
    const account = await withTotp();
    for (let round = 0; round < 3; round++) {
      const handOff = await login(account);
      for (let guess = 0; guess < 5; guess++) await verify(handOff, "not-it");
    }
    const right = await verify(await login(account), codeNow(account.secret));
    expect(right.status, right.text).toBe(200);
    const handOff = await login(account);
    for (let guess = 0; guess < 5; guess++) await verify(handOff, "not-it");
    const next = { backup_code: true };
    const code = account.backupCodes[0] ?? "";
    expect((await verify(await login(account), code, next)).status).toBe(200);
  });

  test("a wrong proof of a signed-in session is in the audit trail", async () => {
    const { accessToken: bearer } = await withTotp();
    const userId = claims(bearer)["sub"];
    const wrong = { password: "wrong-password" };
    expect((await api(cluster, "/step-up/password", { body: wrong, bearer })).code).toBe("invalid_password");
    const code = { code: "000000", method: "totp" };
    expect((await api(cluster, "/step-up/2fa", { body: code, bearer })).code).toBe("invalid_code");
    const { rows } = await query(
      `SELECT outcome, details->'methods' AS methods FROM profiles.audit_log
       WHERE action = 'session.reauthenticated' AND target = $1 AND outcome <> 'ok' ORDER BY occurred_at`,
      [`user:${userId}`],
    );
    expect(rows).toEqual([
      { outcome: "invalid_password", methods: ["pwd"] },
      { outcome: "invalid_code", methods: ["totp"] },
    ]);
  });
});

describe("step-up and changes", () => {
  test("changes of the second factor are told to its owner", async () => {
    const account = await withTotp();
    const signedIn = await verify(await login(account), codeNow(account.secret));
    const bearer = text(signedIn, "access_token");
    await notice(account.email, "second factor was added");
    await api(cluster, "/user/2fa", { body: { method: "email" }, bearer });
    const body = { default: true, factor_id: account.factorId };
    expect((await api(cluster, "/user/2fa", { body, bearer })).body).toEqual({ ok: true });
    await notice(account.email, "asked for first from now on");
    const renewed = await api(cluster, "/user/2fa/backup-codes", { method: "POST", bearer });
    await notice(account.email, "New backup codes were made");
    const [code = ""] = texts(renewed.body["backup_codes"]);
    await api(cluster, "/step-up/2fa", { body: { code, backup_code: true }, bearer });
    await notice(account.email, "A backup code of your");
    await api(cluster, "/user/2fa", { method: "DELETE", bearer });
    await notice(account.email, "second factor was removed");
    const before = (await messagesTo(cluster, account.email)).length;
    const again = await api(cluster, "/user/2fa", { method: "DELETE", bearer });
    expect(again.body).toEqual({ success: true, removed_roles: [] });
    expect(await api(cluster, "/user", { method: "DELETE", bearer })).toMatchObject({ status: 200 });
    await notice(account.email, "account was deleted");
    // Removing what is not there changed nothing, and nobody was told of it.
    expect(await messagesTo(cluster, account.email)).toHaveLength(before + 1);
  });

  test("password: right, wrong, missing, and with an API's eye on the outcome", async () => {
    const { accessToken: bearer, password } = await registered(cluster);
    const right = await api(cluster, "/step-up/password", { body: { password }, bearer });
    expect(right.status).toBe(200);
    expect(right.body).toMatchObject({
      ok: true,
      token_type: "Bearer",
      fresh_auth: {
        auth_methods: ["pwd"],
        step_up_required_for_sensitive_actions: false,
        time_until_step_up_required: 900,
      },
    });
    const wrong = await api(cluster, "/step-up/password", { body: { password: `${password}x` }, bearer });
    expect([wrong.status, wrong.code]).toEqual([401, "invalid_password"]);
    const none = await api(cluster, "/step-up/password", { body: {}, bearer });
    expect([none.status, none.code]).toEqual([400, "invalid_request"]);
    expect((await api(cluster, "/step-up/password", { body: { password } })).status).toBe(401);
  });

  test("second factor: asks, sends, refuses, accepts once", async () => {
    const account = await withTotp();
    const signedIn = await verify(await login(account), account.backupCodes[0] ?? "", { backup_code: true });
    const bearer = text(signedIn, "access_token");
    const asked = await api(cluster, "/step-up/2fa", { body: {}, bearer });
    expect(asked.body).toEqual({
      requires_2fa: true,
      method: "totp",
      verification_id: "************r app",
    });
    const codes = async (body: unknown) => {
      const reply = await api(cluster, "/step-up/2fa", { body, bearer });
      return [reply.status, reply.code];
    };
    expect(await codes({ method: "pigeon" })).toEqual([400, "invalid_method"]);
    expect(await codes({ method: "sms" })).toEqual([400, "invalid_method"]);
    expect(await codes({ factor_id: account.factorId })).toEqual([400, "invalid_request"]);
    expect(await codes({ code: "000000" })).toEqual([401, "invalid_code"]);
    const code = codeNow(account.secret);
    const right = await api(cluster, "/step-up/2fa", { body: { code }, bearer });
    expect(right.status).toBe(200);
    expect(right.body).toMatchObject({ ok: true, fresh_auth: { time_until_step_up_required: 900 } });
    expect(await codes({ code })).toEqual([401, "invalid_code"]);
  });

  test("a stale session must step up before it changes factors", async () => {
    const account = await registered(cluster);
    // An hour-old token of this account, as the server would have issued it.
    const minted = await call(cluster, "MintAccessToken", {
      userID: claims(account.accessToken)["sub"],
      extra: {},
    });
    const stale = JSON.stringify(minted.body["result"]);
    const token = /[\w-]+\.[\w-]+\.[\w-]+/.exec(stale)?.[0] ?? "";
    const reply = await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer: token });
    expect([reply.status, reply.code]).toEqual([403, "step_up_required"]);
    const codes = await api(cluster, "/user/2fa/backup-codes", { method: "POST", bearer: token });
    expect([codes.status, codes.code]).toEqual([403, "step_up_required"]);
  });

  test("new backup codes void the old ones; removing the last factor switches everything off", async () => {
    const account = await withTotp();
    const signedIn = await verify(await login(account), codeNow(account.secret));
    const bearer = text(signedIn, "access_token");
    const renewed = await api(cluster, "/user/2fa/backup-codes", { method: "POST", bearer });
    expect(texts(renewed.body["backup_codes"])).toHaveLength(10);
    const old = await verify(await login(account), account.backupCodes[0] ?? "", { backup_code: true });
    expect(old.code).toBe("invalid_code");
    const unknown = await api(cluster, "/user/2fa?factor_id=019f0000-0000-7000-8000-0000000000f1", {
      method: "DELETE",
      bearer,
    });
    expect([unknown.status, unknown.code]).toEqual([404, "not_found"]);
    const removed = await api(cluster, `/user/2fa?factor_id=${account.factorId}`, {
      method: "DELETE",
      bearer,
    });
    expect(removed.body).toEqual({ success: true, removed_roles: [] });
    const state = await api(cluster, "/user/2fa", { bearer });
    // Only somebody who never had one is told of the method everybody could have.
    expect(state.body).toMatchObject({ enabled: false, method: "" });
    expect(state.body).not.toHaveProperty("backup_codes_remaining");
    expect((await login(account)).body).toHaveProperty("access_token");
    const none = await api(cluster, "/user/2fa/backup-codes", { method: "POST", bearer });
    expect([none.status, none.code]).toEqual([500, "regenerate_codes_failed"]);
  });

  test("every route wants a user", async () => {
    for (const [method, path] of [
      ["GET", "/user/2fa"],
      ["POST", "/user/2fa"],
      ["DELETE", "/user/2fa"],
      ["POST", "/user/2fa/backup-codes"],
      ["POST", "/step-up/2fa"],
    ] as const) {
      const reply = await api(cluster, path, { method, ...(method === "POST" ? { body: {} } : {}) });
      expect([path, reply.status, reply.code]).toEqual([path, 401, "missing_token"]);
    }
  });
});
