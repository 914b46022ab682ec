import { randomBytes, randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashToken } from "../../src/core/verification/secrets.ts";
import { api, behindProxy, messagesTo, messageTo, newPerson } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call } from "../support/http.ts";

const post = (cluster: TestCluster, path: string, body: unknown) =>
  api(cluster, path, { method: "POST", body });

const registration = (change: Record<string, unknown> = {}) => {
  const p = newPerson();
  return { identifier: p.email, username: p.username, password: p.password, ...change };
};

describe("invite_only, with nothing that could send messages", () => {
  let cluster: TestCluster;
  let sql: pg.Client;
  beforeAll(async () => {
    cluster = await startCluster({
      env: {
        ...behindProxy,
        AUTHKIT_REGISTRATION_MODE: "invite_only",
        AUTHKIT_REGISTRATION_VERIFICATION: "optional",
        AUTHKIT_MAIL_SENDER: "none",
        AUTHKIT_SMS_SENDER: "none",
      },
    });
    sql = new pg.Client({ connectionString: cluster.databaseUrl });
    await sql.connect();
  });
  afterAll(async () => {
    await sql.end();
    await cluster.stop();
  });

  async function invite(): Promise<string> {
    const [inviter, token] = [randomUUID(), randomBytes(32).toString("base64url")];
    await sql.query("INSERT INTO profiles.users (id) VALUES ($1)", [inviter]);
    await sql.query(
      `INSERT INTO profiles.account_registration_invites (id, email, invited_by, code_hash, expires_at)
       VALUES ($1, 'invited@example.com', $2, $3, now() + interval '1 hour')`,
      [randomUUID(), inviter, hashToken(token)],
    );
    return token;
  }

  it("takes whoever holds an invite, by e-mail only, once", async () => {
    const without = await post(cluster, "/register", registration());
    expect([without.status, without.code]).toEqual([403, "registration_disabled"]);
    const token = await invite();
    const byPhone = registration({ identifier: newPerson().phone, account_invite_token: token });
    expect((await post(cluster, "/register", byPhone)).code).toBe("registration_disabled");
    const body = registration({ account_invite_token: token });
    const reply = await post(cluster, "/register", body);
    expect([reply.status, reply.body["next_action"]]).toEqual([202, "none"]);
    const { rows } = await sql.query(
      `SELECT u.email_verified, u.username::text FROM profiles.account_registration_invites AS i
       JOIN profiles.users AS u ON u.id = i.consumed_by WHERE i.code_hash = $1`,
      [hashToken(token)],
    );
    expect(rows).toEqual([{ email_verified: true, username: body.username }]);
    const again = await post(cluster, "/register", registration({ account_invite_token: token }));
    expect([again.status, again.code]).toEqual([403, "registration_disabled"]);
  });

  it("opens one account for fifty who come at once with one invite", async () => {
    const token = await invite();
    const replies = await Promise.all(
      Array.from({ length: 50 }, () =>
        post(cluster, "/register", registration({ account_invite_token: token })),
      ),
    );
    expect(replies.filter(({ status }) => status === 202)).toHaveLength(1);
    expect(replies.filter(({ code }) => code === "registration_disabled")).toHaveLength(49);
  });

  it("says first that passwordless sign-in is off", async () => {
    const reply = await call(cluster, "StartPasswordless", { req: { Identifier: "a@b@c" } });
    expect([reply.status, reply.code]).toEqual([422, "passwordless_disabled"]);
  });

  it("refuses strangers everywhere, before it reads anything", async () => {
    for (const path of ["/register/resend-email", "/register/resend-phone", "/register/abandon"]) {
      const reply = await post(cluster, path, "nonsense");
      expect([path, reply.status, reply.code]).toEqual([path, 403, "registration_disabled"]);
    }
    const asked = await api(cluster, "/register/availability?username=free_name&email=x");
    expect(asked.body).toEqual({
      username: { available: false, error: "registration_disabled" },
      email: { available: false, error: "registration_disabled" },
    });
  });

  it.each([
    ["/email/verify/request", { email: "a@example.com" }, "email_verification_unavailable"],
    ["/phone/verify/request", { phone_number: "+15550001" }, "phone_verification_unavailable"],
    ["/email/password/reset/request", { email: "a@example.com" }, "email_password_reset_unavailable"],
    ["/phone/password/reset/request", { phone_number: "+15550001" }, "sms_unavailable"],
  ])("POST %s says that nothing can be sent", async (path, body, code) => {
    const reply = await post(cluster, path, body);
    expect([reply.status, reply.code]).toEqual([500, code]);
  });
});

describe("strict statuses, with mail but without SMS", () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startCluster({
      env: {
        ...behindProxy,
        AUTHKIT_STRICT_STATUS: "true",
        AUTHKIT_REGISTRATION_VERIFICATION: "required",
        AUTHKIT_SMS_SENDER: "none",
      },
    });
  });
  afterAll(() => cluster.stop());

  it.each([
    ["/register", registration({ identifier: "+15550001" }), "phone_registration_unavailable"],
    ["/register/resend-phone", { phone_number: "+15550001" }, "phone_unavailable"],
    ["/phone/verify/request", { phone_number: "+15550001" }, "phone_verification_unavailable"],
    ["/phone/password/reset/request", { phone_number: "+15550001" }, "sms_unavailable"],
  ])("POST %s answers 503", async (path, body, code) => {
    const reply = await post(cluster, path, body);
    expect([reply.status, reply.code]).toEqual([503, code]);
  });

  it("tells administrators that nobody has an id", async () => {
    const made = await call(cluster, "CreateUser", {
      email: newPerson().email,
      username: newPerson().username,
    });
    const userID = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(made.text)?.[0] ?? "";
    await call(cluster, "EnsureRootGroup");
    expect((await call(cluster, "AssignRoleBySlug", { userID, slug: "owner" })).status).toBe(200);
    const minted = await call(cluster, "MintAccessToken", { userID, extra: {} });
    const bearer = /[\w-]+\.[\w-]+\.[\w-]+/.exec(minted.text)?.[0] ?? "";
    const unknown = "/admin/users/019f0000-0000-7000-8000-0000000000aa";
    for (const [method, path] of [
      ["POST", `${unknown}/unban`],
      ["POST", `${unknown}/restore`],
      ["DELETE", unknown],
    ] as const) {
      const reply = await api(cluster, path, { method, bearer });
      expect([path, reply.status, reply.code]).toEqual([path, 404, "not_found"]);
    }
  });

  it("a refresh of a session without the second factor is refused with what would help", async () => {
    const body = registration();
    await post(cluster, "/register", body);
    const { token } = await messageTo(cluster, body.identifier);
    await post(cluster, "/email/verify/confirm", { token });
    const login = () => post(cluster, "/password/login", { login: body.identifier, password: body.password });
    const session = await login();
    const bearer = String(session.body["access_token"]);
    expect((await api(cluster, "/user/2fa", { body: { method: "email" }, bearer })).status).toBe(200);
    const refreshed = await post(cluster, "/token", {
      grant_type: "refresh_token",
      refresh_token: session.body["refresh_token"],
    });
    expect([refreshed.status, refreshed.code]).toEqual([403, "2fa_required"]);
    expect(refreshed.body["error"]).toMatchObject({
      metadata: { step_up_2fa: { methods: ["email"], default_method: "email" } },
    });
  });

  it("tells nobody whether an address has an account", async () => {
    const body = registration();
    await post(cluster, "/register", body);
    const { token } = await messageTo(cluster, body.identifier);
    expect((await post(cluster, "/email/verify/confirm", { token })).status).toBe(200);

    for (const email of [body.identifier, newPerson().email]) {
      const reply = await post(cluster, "/email/verify/request", { email });
      expect([reply.status, reply.body]).toEqual([202, { ok: true }]);
    }
    const asked = await api(cluster, `/register/availability?email=${body.identifier}`);
    expect(asked.body).toEqual({ email: { available: true } });
    expect(await messagesTo(cluster, body.identifier)).toHaveLength(1);
  });
});
