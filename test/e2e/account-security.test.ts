import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { api, behindProxy, messageTo, newPerson, type Person, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { staleToken as staleTokenOf } from "../support/stale.ts";

let cluster: TestCluster;
let sql: pg.Client;
beforeAll(async () => {
  cluster = await startCluster({
    env: { ...behindProxy, AUTHKIT_DEV_MINT_SECRET: "a secret of this test only" },
  });
  sql = new pg.Client({ connectionString: cluster.databaseUrl });
  await sql.connect();
});
afterAll(async () => {
  await sql.end();
  await cluster.stop();
});

type Account = Awaited<ReturnType<typeof registered>>;

const post = (path: string, body: unknown, bearer?: string) =>
  api(cluster, path, { method: "POST", body, ...(bearer === undefined ? {} : { bearer }) });

const login = (p: Person, password = p.password) => post("/password/login", { login: p.username, password });

const staleToken = (account: Account): Promise<string> => staleTokenOf(cluster, sql, account);

async function sessionsOf(bearer: string): Promise<number> {
  const { body } = await api(cluster, "/user/sessions", { bearer });
  return Array.isArray(body["data"]) ? body["data"].length : -1;
}

const freshMembers = {
  access_token: expect.any(String),
  token_type: "Bearer",
  expires_in: expect.any(Number),
  fresh_auth: {
    auth_methods: ["pwd"],
    last_authenticated_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
    step_up_required_for_sensitive_actions: false,
    time_until_step_up_required: 900,
  },
};

describe("POST /register under the policy `none`", () => {
  it("signs in at once", async () => {
    const p = newPerson();
    const reply = await post("/register", {
      identifier: p.email,
      username: p.username,
      password: p.password,
    });
    expect(reply.status).toBe(202);
    expect(reply.body).toEqual({
      ok: true,
      username: p.username,
      email: p.email,
      phone_number: null,
      discord_username: null,
      next_action: "none",
      access_token: expect.any(String),
      token_type: "Bearer",
      expires_in: expect.any(Number),
      refresh_token: expect.stringMatching(/^[\w-]{43}$/),
    });
    const taken = await post("/register", {
      identifier: newPerson().email,
      username: p.username,
      password: p.password,
    });
    expect([taken.status, taken.code]).toEqual([400, "owner_slug_taken"]);
    expect(taken.body["error"]).toMatchObject({ param: "username" });
    const used = await api(cluster, `/register/availability?email=${p.email}&username=${p.username}`);
    expect(used.body).toEqual({
      username: { available: false, error: "owner_slug_taken" },
      email: { available: false, error: "email_in_use" },
    });
  });

  it("has nothing to resend, whatever the body says", async () => {
    for (const channel of ["email", "phone"]) {
      const reply = await post(`/register/resend-${channel}`, "nonsense");
      expect([reply.status, reply.body]).toEqual([202, { ok: true }]);
    }
  });
});

describe("changing the address while signed in", () => {
  it("sends a code to the new address, applies it, and tells the old one", async () => {
    const account = await registered(cluster);
    const next = newPerson().email;
    const reply = await post("/email/verify/request", { email: next }, account.accessToken);
    expect([reply.status, reply.body]).toEqual([
      202,
      { ok: true, message: "Verification sent to new email address" },
    ]);
    const { code } = await messageTo(cluster, next);
    const stranger = await registered(cluster);
    const foreign = await post("/email/verify/confirm", { code, email: next }, stranger.accessToken);
    expect(foreign.code).toBe("invalid_or_expired_code");
    const done = await post("/email/verify/confirm", { code, email: next }, account.accessToken);
    expect([done.status, done.body]).toEqual([200, { ok: true, message: "Email changed successfully" }]);
    await messageTo(cluster, account.email);
    expect((await post("/password/login", { email: next, password: account.password })).status).toBe(200);
    expect((await login({ ...account, username: account.email })).code).toBe("invalid_credentials");
  });

  it("by link without signing in, once, and without a session", async () => {
    const account = await registered(cluster);
    const next = newPerson().phone;
    const reply = await post("/phone/verify/request", { phone_number: next }, account.accessToken);
    expect(reply.body).toEqual({ ok: true, message: "Verification sent to new phone" });
    const { token } = await messageTo(cluster, next);
    const done = await post("/phone/verify/confirm", { token });
    expect([done.status, done.body]).toEqual([
      200,
      { ok: true, message: "Phone number changed successfully" },
    ]);
    expect((await post("/phone/verify/confirm", { token })).status).not.toBe(200);
  });

  it("refuses the present address and somebody else's", async () => {
    const [account, other] = [await registered(cluster), await registered(cluster)];
    const ask = (email: string) => post("/email/verify/request", { email }, account.accessToken);
    expect((await ask(account.email)).code).toBe("email_unchanged");
    expect((await ask(other.email)).code).toBe("email_in_use");
  });

  it("needs a fresh authentication or the password, and hands out a fresh token for it", async () => {
    const account = await registered(cluster);
    const bearer = await staleToken(account);
    const refused = await post("/email/verify/request", { email: newPerson().email }, bearer);
    expect([refused.status, refused.code]).toEqual([403, "step_up_required"]);
    expect(refused.body["error"]).toMatchObject({
      type: "authorization_error",
      metadata: { max_age_seconds: 900, step_up_methods: ["password"] },
    });
    const wrong = await post(
      "/email/verify/request",
      { email: newPerson().email, password: "wrong" },
      bearer,
    );
    expect([wrong.status, wrong.code]).toEqual([401, "invalid_password"]);
    const next = newPerson().email;
    const proven = await post("/email/verify/request", { email: next, password: account.password }, bearer);
    expect(proven.body).toEqual({
      ok: true,
      message: "Verification sent to new email address",
      ...freshMembers,
    });
    const fresh = String(proven.body["access_token"]);
    expect((await post("/email/verify/request", { email: newPerson().email }, fresh)).status).toBe(202);
  });

  it("can be taken back", async () => {
    const account = await registered(cluster);
    const next = newPerson().email;
    await post("/email/verify/request", { email: next }, account.accessToken);
    const { token } = await messageTo(cluster, next);
    const cancelled = await api(cluster, "/user/email-change", {
      method: "DELETE",
      bearer: account.accessToken,
    });
    expect([cancelled.status, cancelled.body]).toEqual([200, { ok: true }]);
    expect((await post("/email/verify/confirm", { token })).code).toBe("invalid_or_expired_token");
  });
});

describe("password reset", () => {
  const emailMessage = "If this email is registered, password reset instructions will be sent.";
  const phoneMessage =
    "If this phone number is registered, password reset instructions will be sent via SMS.";

  it("answers every address alike", async () => {
    const account = await registered(cluster);
    for (const [path, body, message] of [
      ["/email/password/reset/request", { email: account.email }, emailMessage],
      ["/email/password/reset/request", { email: newPerson().email }, emailMessage],
      ["/email/password/reset/request", { email: "no address" }, emailMessage],
      ["/phone/password/reset/request", { phone_number: newPerson().phone }, phoneMessage],
    ] as const) {
      const reply = await post(path, body);
      expect([reply.status, reply.body]).toEqual([202, { ok: true, message }]);
    }
    for (const body of ["nonsense", { email: " " }, { unknown: 1 }]) {
      const reply = await post("/email/password/reset/request", body);
      expect([reply.status, reply.body]).toEqual([202, { ok: true }]);
    }
    expect((await post("/phone/password/reset/request", "nonsense")).code).toBe("invalid_request");
    expect((await post("/phone/password/reset/request", { phone_number: "x" })).code).toBe(
      "invalid_phone_number",
    );
    const limited = await post("/email/password/reset/request", { email: account.email.toUpperCase() });
    expect(limited.status).toBe(429);
    expect(limited.body["error"]).toMatchObject({ metadata: { action: "request_password_reset" } });
  });

  it("by e-mail: sets the password, ends every session at once, works once", async () => {
    const account = await registered(cluster);
    await post("/email/password/reset/request", { email: ` ${account.email.toUpperCase()} ` });
    const { token, url } = await messageTo(cluster, account.email);
    expect(url).toBe(`${cluster.url}/reset?channel=email&token=${token}`);
    const confirm = (body: unknown) => post("/email/password/reset/confirm", body);
    expect((await confirm({ reset_session: token, new_password: "new password" })).code).toBe(
      "invalid_request",
    );
    expect((await confirm({ token: " ", new_password: "new password" })).code).toBe("invalid_request");
    expect((await confirm({ token })).code).toBe("invalid_request");
    const short = await confirm({ token, new_password: "short" });
    expect([short.status, short.code]).toEqual([400, "password_too_short"]);
    expect(short.body["error"]).toMatchObject({ param: "password" });
    const done = await confirm({ token, new_password: "new password" });
    expect([done.status, done.body]).toEqual([200, { ok: true }]);
    const again = await confirm({ token, new_password: "new password" });
    expect([again.status, again.code]).toEqual([400, "invalid_or_expired_token"]);
    expect((await api(cluster, "/user/sessions", { bearer: account.accessToken })).status).toBe(401);
    expect((await login(account)).code).toBe("invalid_credentials");
    expect((await login(account, "new password")).status).toBe(200);
    await messageTo(cluster, account.email, 2);
  });

  it("by phone: names the account", async () => {
    const account = await registered(cluster, "phone");
    await post("/phone/password/reset/request", { phone_number: account.phone });
    const { token } = await messageTo(cluster, account.phone);
    const confirm = (body: unknown) => post("/phone/password/reset/confirm", body);
    expect((await confirm({ token })).code).toBe("password_too_short");
    const done = await confirm({ token, new_password: "new password" });
    expect(done.body).toEqual({
      ok: true,
      user_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      message: "Password reset successfully. You can now log in with your new password.",
    });
  });

  it("an imported account that has to reset signs in afterwards", async () => {
    const account = await registered(cluster);
    await sql.query(
      `UPDATE profiles.user_passwords SET password_hash = 'x', hash_algo = 'legacy-reset-required'
       WHERE user_id = (SELECT id FROM profiles.users WHERE username = $1)`,
      [account.username],
    );
    const refused = await login(account);
    expect([refused.status, refused.code]).toEqual([401, "password_reset_required"]);
    const stale = await staleToken(account);
    const change = (bearer: string) =>
      post("/user/password", { current_password: account.password, new_password: "new password" }, bearer);
    expect((await change(stale)).status).toBe(401);
    const fresh = await change(account.accessToken);
    expect([fresh.status, fresh.code]).toEqual([400, "password_reset_required"]);
    await post("/email/password/reset/request", { email: account.email });
    const { token } = await messageTo(cluster, account.email);
    await post("/email/password/reset/confirm", { token, new_password: "new password" });
    expect((await login(account, "new password")).status).toBe(200);
  });
});

describe("POST /user/password", () => {
  const change = (body: unknown, bearer?: string) => post("/user/password", body, bearer);

  it("changes it with the current one, keeps this session and ends the others", async () => {
    const account = await registered(cluster);
    const other = await login(account);
    expect(await sessionsOf(account.accessToken)).toBe(2);
    const wrong = await change(
      { current_password: "wrong password", new_password: "new password" },
      account.accessToken,
    );
    expect([wrong.status, wrong.code]).toEqual([400, "password_change_failed"]);
    const done = await change(
      { current_password: account.password, new_password: "new password" },
      account.accessToken,
    );
    expect([done.status, done.body]).toEqual([200, { ok: true }]);
    expect(await sessionsOf(account.accessToken)).toBe(1);
    const refresh = { grant_type: "refresh_token", refresh_token: other.body["refresh_token"] };
    expect((await post("/token", refresh)).code).toBe("invalid_refresh_token");
    expect((await login(account, "new password")).status).toBe(200);
    await messageTo(cluster, account.email);
  });

  it("without the current one on a fresh token only", async () => {
    const account = await registered(cluster);
    expect((await change({ new_password: "new password" }, account.accessToken)).body).toEqual({ ok: true });
    const stale = await staleToken(account);
    const refused = await change({ new_password: "newer password" }, stale);
    expect([refused.status, refused.code]).toEqual([403, "step_up_required"]);
    const wrong = await change({ current_password: account.password, new_password: "newer password" }, stale);
    expect([wrong.status, wrong.code]).toEqual([401, "invalid_password"]);
    const done = await change({ current_password: "new password", new_password: "newer password" }, stale);
    expect(done.body).toEqual({ ok: true, ...freshMembers });
  });

  it("kills an outstanding reset link", async () => {
    const account = await registered(cluster);
    await post("/email/password/reset/request", { email: account.email });
    const { token } = await messageTo(cluster, account.email);
    await change({ new_password: "new password" }, account.accessToken);
    const dead = await post("/email/password/reset/confirm", { token, new_password: "other password" });
    expect(dead.code).toBe("invalid_or_expired_token");
  });

  it("refuses bad requests", async () => {
    const account = await registered(cluster);
    expect((await change({ new_password: "new password" })).code).toBe("missing_token");
    expect((await change({ new_password: "short" }, account.accessToken)).code).toBe("password_too_short");
    expect((await change({ password: "x" }, account.accessToken)).code).toBe("invalid_request");
  });

  it("guesses at the password share the budget of sign-ins", async () => {
    const account = await registered(cluster);
    const bearer = await staleToken(account);
    const ask = () => change({ current_password: "wrong password", new_password: "new password" }, bearer);
    const codes: (string | undefined)[] = [];
    for (let n = 0; n < 21; n++) codes.push((await ask()).code);
    expect(codes.slice(0, 20)).toEqual(Array.from({ length: 20 }, () => "invalid_password"));
    expect(codes[20]).toBe("rate_limited");
  });
});

it("keeps tokens and passwords out of the log", async () => {
  const account = await registered(cluster);
  await post("/user/password", { new_password: "a very new password" }, account.accessToken);
  await api(cluster, `/email/password/reset/confirm?token=${account.refreshToken}`);
  await login(account, "a wrong password");
  const output = cluster.output();
  expect(output).toContain("/api/v1/user/password");
  for (const secret of [account.accessToken, account.refreshToken, "a very new password", "a wrong password"])
    expect(output).not.toContain(secret);
});

it("POST /token without members is a bad request", async () => {
  const reply = await post("/token", {});
  expect([reply.status, reply.code]).toEqual([400, "invalid_request"]);
});

it("POST /logout ends the session of a refresh token, a used one too, and says nothing of others", async () => {
  const person = await registered(cluster);
  const login = async () => {
    const body = { login: person.email, password: person.password };
    const { body: tokens } = await api(cluster, "/password/login", { body });
    return { refresh: String(tokens["refresh_token"]), access: String(tokens["access_token"]) };
  };
  const refresh = (token: string) =>
    api(cluster, "/token", { body: { grant_type: "refresh_token", refresh_token: token } });
  const logout = (token: string) => api(cluster, "/logout", { body: { refresh_token: token } });
  const [first, second, other] = [await login(), await login(), await login()];
  const successor = String((await refresh(second.refresh)).body["refresh_token"]);

  for (const { refresh: token } of [first, second]) {
    const reply = await logout(token);
    expect([reply.status, reply.body]).toEqual([200, { ok: true }]);
  }
  for (const token of [first.refresh, successor])
    expect((await refresh(token)).code).toBe("invalid_refresh_token");
  expect((await api(cluster, "/me", { bearer: first.access })).code).toBe("token_revoked");
  expect((await api(cluster, "/me", { bearer: other.access })).status).toBe(200);
  for (const nobodys of [first.refresh, "x".repeat(43), "no token\u0000"])
    expect((await logout(nobodys)).status).toBe(200);
  expect((await logout(" ")).code).toBe("invalid_request");
  expect((await api(cluster, "/me", { bearer: other.access })).status).toBe(200);
});

it("DELETE /logout with a token without a session says so", async () => {
  const { username } = await registered(cluster);
  const { rows } = await sql.query("SELECT id FROM profiles.users WHERE username = $1", [username]);
  const id: unknown = rows[0]?.id;
  const minted = await api(cluster, "/dev/mint", {
    body: { sub: String(id), aud: "authkit" },
    headers: { "x-dev-secret": "a secret of this test only" },
  });
  const reply = await api(cluster, "/logout", { method: "DELETE", bearer: String(minted.body["token"]) });
  expect([reply.status, reply.code]).toEqual([400, "missing_sid_claim"]);
});
