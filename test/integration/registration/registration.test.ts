import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hashToken } from "../../../src/core/verification/secrets.ts";
import { addUser, context, type Fixture, type Flows, openFixture, person, refusal } from "./fixture.ts";

let f: Fixture;
let required: Flows;
let optional: Flows;
let inviteOnly: Flows;
let inviteRequired: Flows;
beforeAll(async () => {
  f = await openFixture();
  required = f.under({ registration: { verification: "required" } });
  optional = f.under({ registration: { verification: "optional" } });
  inviteOnly = f.under({ registration: { mode: "invite_only" } });
  inviteRequired = f.under({ registration: { mode: "invite_only", verification: "required" } });
});
afterAll(() => f.close());

const byEmail = ({ email, username, password }: ReturnType<typeof person>) => ({
  identifier: email,
  username,
  password,
});

async function invite(
  state: { revoked?: boolean; expired?: boolean; groupId?: string; role?: string } = {},
): Promise<string> {
  const inviter = await addUser(f);
  const token = randomUUID();
  await f.query(
    `INSERT INTO S.account_registration_invites (id, email, invited_by, code_hash, expires_at, revoked_at, permission_group_id, role)
     VALUES ($1, 'somebody@example.com', $2, $3, $4, $5, $6, $7)`,
    [
      ...[randomUUID(), inviter.id, hashToken(token)],
      new Date(f.clock.millis() + (state.expired === true ? -1_000 : 3_600_000)),
      state.revoked === true ? f.clock.now() : null,
      ...[state.groupId ?? null, state.role ?? null],
    ],
  );
  return token;
}

async function consumer(token: string): Promise<string | null> {
  const [row] = await f.query<{ consumed_by: string | null }>(
    "SELECT consumed_by FROM S.account_registration_invites WHERE code_hash = $1",
    [hashToken(token)],
  );
  return row?.consumed_by ?? null;
}

async function proven(userId: string): Promise<boolean | undefined> {
  const rows = await f.query<{ email_proven: boolean }>("SELECT email_proven FROM S.users WHERE id = $1", [
    userId,
  ]);
  return rows[0]?.email_proven;
}

describe("policy none", () => {
  it("makes the account, marks the address as verified though nobody proved it, and signs in", async () => {
    const p = person();
    const result = await f.registration.register(
      { ...byEmail(p), identifier: `  ${p.email.toUpperCase()} ` },
      context({ language: "en" }),
    );
    expect(result).toMatchObject({
      username: p.username,
      email: p.email,
      phoneNumber: null,
      nextAction: "none",
      login: { kind: "granted" },
    });
    const user = await f.users.byEmail(p.email);
    expect(user).toMatchObject({ emailVerified: true, preferredLanguage: "en", username: p.username });
    expect(await proven(user?.id ?? "")).toBe(false);
    expect(f.messages.sent).toEqual([]);
    expect(await f.passwords.verify(user?.id ?? "", p.password, context())).toBe("match");
    const actions = await f.query("SELECT action, details FROM S.audit_log WHERE target = $1", [
      `user:${user?.id}`,
    ]);
    expect(actions).toEqual([{ action: "user.created", details: { channel: "email", verified: "assumed" } }]);
  });

  it("registers by phone", async () => {
    const p = person();
    const result = await f.registration.register({ ...byEmail(p), identifier: p.phone }, context());
    expect(result).toMatchObject({ email: null, phoneNumber: p.phone, nextAction: "none" });
    expect(await f.users.byPhone(p.phone)).toMatchObject({ phoneVerified: true, email: null });
  });

  it("refuses in the documented order", async () => {
    const taken = await addUser(f);
    const ask = (change: Partial<{ identifier: string; username: string; password: string }>) =>
      refusal(f.registration.register({ ...byEmail(person()), ...change }, context()));
    expect(await ask({ identifier: " ", password: "x" })).toBe("invalid_request");
    expect(await ask({ username: "", password: "x" })).toBe("invalid_request");
    expect(await ask({ password: "short", username: "x" })).toBe("password_too_short");
    expect(await ask({ username: "abc", identifier: "nothing" })).toBe("username_too_short");
    expect(await ask({ username: "1abc" })).toBe("username_must_start_with_letter");
    expect(await ask({ username: "Admin" })).toBe("username_not_allowed");
    expect(await ask({ username: (taken.username ?? "").toUpperCase(), identifier: "nothing" })).toBe(
      "owner_slug_taken",
    );
    expect(await ask({ identifier: "nothing" })).toBe("invalid_identifier");
    expect(await ask({ identifier: taken.email ?? "" })).toBe("email_in_use");
    expect(await ask({ identifier: taken.phoneNumber ?? "" })).toBe("phone_in_use");
  });

  it("lets one of many simultaneous registrations of one address win", async () => {
    const { email, password } = person();
    const results = await Promise.all(
      Array.from({ length: 20 }, () =>
        refusal(
          f.registration.register({ identifier: email, username: person().username, password }, context()),
        ),
      ),
    );
    expect(results.filter((code) => code === undefined)).toHaveLength(1);
    expect(results.filter((code) => code === "email_in_use")).toHaveLength(19);
  });

  it("answers the enrolment hand-off where a second factor is mandatory", async () => {
    const strict = f.under({ mfa: { mode: "required" } });
    const result = await strict.registration.register(byEmail(person()), context());
    expect(result.login).toMatchObject({ kind: "enrollment_required", secondFactorEnrolled: false });
  });
});

describe("policy optional", () => {
  it("signs in at once and sends a code that verifies later", async () => {
    const p = person();
    const result = await optional.registration.register(byEmail(p), context());
    expect(result).toMatchObject({ nextAction: "none", login: { kind: "granted" } });
    expect(await f.users.byEmail(p.email)).toMatchObject({ emailVerified: false });
    const outcome = await optional.verification.confirmByCode(
      ...(["email", p.email, optional.messages.code(p.email), undefined, context()] as const),
    );
    expect(outcome).toMatchObject({ kind: "signed_in", outcome: { kind: "granted" } });
    const user = await f.users.byEmail(p.email);
    expect(user).toMatchObject({ emailVerified: true });
    expect(await proven(user?.id ?? "")).toBe(true);
  });

  it("keeps the account when the message cannot be sent", async () => {
    const broken = f.under({ registration: { verification: "optional" } });
    broken.messages.failing = true;
    const result = await broken.registration.register(byEmail(person()), context());
    expect(result.login?.kind).toBe("granted");
  });

  it("counts as verified where nothing can be sent", async () => {
    const mute = f.under({ registration: { verification: "optional" } });
    mute.messages.channels = [];
    const p = person();
    await mute.registration.register(byEmail(p), context());
    expect(await f.users.byEmail(p.email)).toMatchObject({ emailVerified: true });
  });
});

describe("policy required", () => {
  it("stores nothing in the database until the address is proven", async () => {
    const p = person();
    const result = await required.registration.register(byEmail(p), context());
    expect(result).toEqual({
      username: p.username,
      email: p.email,
      phoneNumber: null,
      nextAction: "verify_email",
      login: undefined,
    });
    expect(await f.users.byEmail(p.email)).toBeUndefined();
    expect(required.messages.last(p.email)).toMatchObject({
      kind: "signup",
      channel: "email",
      username: p.username,
      ttlSeconds: 3600,
    });
    expect(required.messages.code(p.email)).toMatch(/^\d{6}$/);
    expect(required.messages.token(p.email)).toMatch(/^[\w-]{43}$/);
  });

  it("by phone: an SMS whose code lives 15 minutes", async () => {
    const p = person();
    const result = await required.registration.register({ ...byEmail(p), identifier: p.phone }, context());
    expect(result.nextAction).toBe("verify_phone");
    expect(required.messages.last(p.phone)).toMatchObject({ channel: "sms", ttlSeconds: 900 });
    const code = required.messages.code(p.phone);
    const outcome = await required.verification.confirmByCode("phone", p.phone, code, undefined, context());
    expect(outcome).toMatchObject({ kind: "signed_in" });
    expect(await f.users.byPhone(p.phone)).toMatchObject({ phoneVerified: true });
  });

  it("holds address and name for the pending registration", async () => {
    const p = person();
    await required.registration.register(byEmail(p), context());
    const again = { ...byEmail(person()), identifier: p.email };
    expect(await refusal(required.registration.register(again, context()))).toBe("email_in_use");
    const sameName = { ...byEmail(person()), username: p.username.toUpperCase() };
    expect(await refusal(required.registration.register(sameName, context()))).toBe("username_in_use");
    expect(
      await required.registration.availability({ username: p.username, email: p.email, phoneNumber: "+1" }),
    ).toEqual({
      username: { available: false, error: "username_in_use" },
      email: { available: false, error: "email_in_use" },
      phoneNumber: { available: false, error: "invalid_phone_number" },
    });
  });

  it("fails without a sender before anything is kept, and keeps the record when sending fails", async () => {
    const mute = f.under({ registration: { verification: "required" } });
    mute.messages.channels = [];
    const p = person();
    expect(await refusal(mute.registration.register(byEmail(p), context()))).toBe(
      "email_registration_unavailable",
    );
    expect(await refusal(mute.registration.register({ ...byEmail(p), identifier: p.phone }, context()))).toBe(
      "phone_registration_unavailable",
    );
    const broken = f.under({ registration: { verification: "required" } });
    broken.messages.failing = true;
    expect(await refusal(broken.registration.register(byEmail(p), context()))).toBe("email_delivery_failed");
    expect(
      await refusal(broken.registration.register({ ...byEmail(person()), identifier: p.phone }, context())),
    ).toBe("sms_delivery_failed");
    broken.messages.failing = false;
    await broken.registration.resend("email", p.email, context());
    expect(broken.messages.code(p.email)).toMatch(/^\d{6}$/);
  });

  it("makes one account of fifty simultaneous confirmations, by code and by link", async () => {
    for (const by of ["code", "link"] as const) {
      const p = person();
      await required.registration.register(byEmail(p), context());
      const [code, token] = [required.messages.code(p.email), required.messages.token(p.email)];
      const results = await Promise.all(
        Array.from({ length: 50 }, () =>
          refusal(
            by === "code"
              ? required.verification.confirmByCode("email", p.email, code, undefined, context())
              : required.verification.confirmByToken("email", token, "", context()),
          ),
        ),
      );
      expect(results.filter((result) => result === undefined)).toHaveLength(1);
      const dead = by === "code" ? "invalid_or_expired_code" : "invalid_or_expired_token";
      expect(new Set(results.filter((result) => result !== undefined))).toEqual(new Set([dead]));
      const rows = await f.query("SELECT 1 FROM S.users WHERE email = $1", [p.email]);
      expect(rows).toHaveLength(1);
    }
  });

  it("sends again: the old code and link are dead, language and name stay", async () => {
    const languages = f.under({
      registration: { verification: "required" },
      languages: { supported: ["en", "es"] },
    });
    const p = person();
    await languages.registration.register(byEmail(p), context({ language: "es" }));
    const [code, token] = [languages.messages.code(p.email), languages.messages.token(p.email)];
    await languages.registration.resend("email", p.email, context());
    expect(languages.messages.sent.map((message) => message.language)).toEqual(["es", "es"]);
    expect(languages.messages.last(p.email).username).toBe(p.username);
    const { verification } = languages;
    if (languages.messages.code(p.email) !== code) {
      expect(await refusal(verification.confirmByCode("email", p.email, code, undefined, context()))).toBe(
        "invalid_or_expired_code",
      );
    }
    expect(await refusal(verification.confirmByToken("email", token, "", context()))).toBe(
      "invalid_or_expired_token",
    );
    await verification.confirmByToken("email", languages.messages.token(p.email), "", context());
    expect(await f.users.byEmail(p.email)).toMatchObject({ preferredLanguage: "es" });
  });

  it("cannot be resent, and is not there, after it was given up with the right password only", async () => {
    const p = person();
    await required.registration.register(byEmail(p), context());
    await required.registration.abandon(p.email, "wrong password", context());
    await required.registration.resend("email", p.email, context());
    await required.registration.abandon(` ${p.email.toUpperCase()} `, p.password, context());
    expect(await refusal(required.registration.resend("email", p.email, context()))).toBe(
      "pending_registration_not_found",
    );
    await required.registration.abandon("nobody@example.com", p.password, context());
    expect((await required.registration.register(byEmail(p), context())).nextAction).toBe("verify_email");
  });

  it("gives way to whoever verified the address or took the name first", async () => {
    const strict = f.under({ registration: { verification: "required" }, strictStatus: true });
    for (const [flows, expected] of [
      [required, ["invalid_or_expired_code", "invalid_or_expired_code"]],
      [strict, ["email_in_use", "username_in_use"]],
    ] as const) {
      const [first, second] = [person(), person()];
      await flows.registration.register(byEmail(first), context());
      await flows.registration.register(byEmail(second), context());
      await flows.serveBackground();
      await addUser(f, { email: first.email });
      await addUser(f, { username: second.username });
      for (const [n, p] of [first, second].entries()) {
        const code = flows.messages.code(p.email);
        expect(
          await refusal(flows.verification.confirmByCode("email", p.email, code, undefined, context())),
        ).toBe(expected[n]);
        expect(await flows.books.pending.exists("email", p.email)).toBe(false);
      }
    }
  });

  it("keeps a registration whose account could not be made for a passing reason", async () => {
    const p = person();
    await required.registration.register(byEmail(p), context());
    const code = required.messages.code(p.email);
    await f.query("ALTER TABLE S.audit_log RENAME TO audit_log_away");
    const failed = required.verification.confirmByCode("email", p.email, code, undefined, context());
    await expect(failed).rejects.toThrow();
    await f.query("ALTER TABLE S.audit_log_away RENAME TO audit_log");
    expect(await f.users.byEmail(p.email)).toBeUndefined();
    await required.verification.confirmByCode("email", p.email, code, undefined, context());
    expect(await f.users.byEmail(p.email)).toMatchObject({ emailVerified: true });
  });
});

describe("invites", () => {
  it("open an invite-only deployment for one account by e-mail, never by phone", async () => {
    const token = await invite();
    const p = person();
    const { registration } = inviteOnly;
    expect(await refusal(registration.register(byEmail(p), context()))).toBe("registration_disabled");
    const byPhone = { ...byEmail(p), identifier: p.phone, inviteToken: token };
    expect(await refusal(registration.register(byPhone, context()))).toBe("registration_disabled");
    const wrong = { ...byEmail(p), inviteToken: "wrong" };
    expect(await refusal(registration.register(wrong, context()))).toBe("registration_disabled");
    await registration.register({ ...byEmail(p), inviteToken: ` ${token} ` }, context());
    expect(await consumer(token)).toBe((await f.users.byEmail(p.email))?.id);
    const next = { ...byEmail(person()), inviteToken: token };
    expect(await refusal(registration.register(next, context()))).toBe("registration_disabled");
  });

  it.each([{ revoked: true }, { expired: true }])("are refused when %j", async (state) => {
    const token = await invite(state);
    const asked = { ...byEmail(person()), inviteToken: token };
    expect(await refusal(inviteOnly.registration.register(asked, context()))).toBe("registration_disabled");
  });

  it("open one account only, however many ask at once; the others leave nothing behind", async () => {
    const token = await invite();
    const people = Array.from({ length: 20 }, person);
    const results = await Promise.all(
      people.map((p) =>
        refusal(inviteOnly.registration.register({ ...byEmail(p), inviteToken: token }, context())),
      ),
    );
    expect(results.filter((code) => code === undefined)).toHaveLength(1);
    expect(new Set(results)).toEqual(new Set([undefined, "registration_disabled"]));
    const rows = await f.query("SELECT 1 FROM S.users WHERE email = ANY ($1::text[]::public.citext[])", [
      people.map((p) => p.email),
    ]);
    expect(rows).toHaveLength(1);
  });

  it("travel with a pending registration and are used up when it is confirmed", async () => {
    const token = await invite();
    const p = person();
    const result = await inviteRequired.registration.register(
      { ...byEmail(p), inviteToken: token },
      context(),
    );
    expect(result.nextAction).toBe("verify_email");
    expect(await consumer(token)).toBeNull();
    const code = inviteRequired.messages.code(p.email);
    await inviteRequired.verification.confirmByCode("email", p.email, code, undefined, context());
    expect(await consumer(token)).toBe((await f.users.byEmail(p.email))?.id);
  });

  it("that died meanwhile end the pending registration", async () => {
    const token = await invite();
    const p = person();
    await inviteRequired.registration.register({ ...byEmail(p), inviteToken: token }, context());
    await f.query("UPDATE S.account_registration_invites SET revoked_at = now() WHERE code_hash = $1", [
      hashToken(token),
    ]);
    const link = inviteRequired.messages.token(p.email);
    expect(await refusal(inviteRequired.verification.confirmByToken("email", link, "", context()))).toBe(
      "invalid_or_expired_token",
    );
    expect(await f.users.byEmail(p.email)).toBeUndefined();
    expect(await inviteRequired.books.pending.exists("email", p.email)).toBe(false);
  });

  it("assign the role they carry, in the open mode as well", async () => {
    const groupId = randomUUID();
    await f.query("INSERT INTO S.permission_groups (id, persona) VALUES ($1, 'root')", [groupId]);
    const token = await invite({ groupId, role: "support" });
    const p = person();
    await f.registration.register({ ...byEmail(p), inviteToken: token }, context());
    const user = await f.users.byEmail(p.email);
    expect(
      await f.query("SELECT role FROM S.group_user_roles WHERE user_id = $1 AND deleted_at IS NULL", [
        user?.id,
      ]),
    ).toEqual([{ role: "support" }]);
    expect(await consumer(token)).toBe(user?.id);
  });
});

describe("hiding existing accounts", () => {
  it.each([
    { registration: { verification: "required", hideExisting: true } },
    { registration: { verification: "required" }, strictStatus: true },
  ] as const)("answers a taken address like a free one and tells its owner (%j)", async (changes) => {
    const hiding = f.under(changes);
    const owner = await addUser(f, { preferredLanguage: "en" });
    const asked = person();
    const free = await hiding.registration.register(byEmail(person()), context());
    const taken = await hiding.registration.register(
      { ...byEmail(asked), identifier: owner.email ?? "" },
      context(),
    );
    expect({ ...taken, email: "", username: "" }).toEqual({ ...free, email: "", username: "" });
    expect(hiding.messages.sent).toEqual([]);
    expect(JSON.stringify(hiding.queue.jobs)).not.toContain(asked.username);
    await hiding.serveBackground();
    expect(hiding.messages.last(owner.email ?? "")).toMatchObject({ kind: "notice_registration_attempt" });
    expect(hiding.messages.last(owner.email ?? "").code).toBeUndefined();
    expect(await f.users.byUsername(asked.username)).toBeUndefined();
    expect(await hiding.registration.availability({ email: owner.email ?? "" })).toEqual({
      email: { available: true },
    });
  });

  it("puts the last registration of an address in the place of the ones before", async () => {
    const hiding = f.under({ registration: { verification: "required", hideExisting: true } });
    const [first, second] = [person(), person()];
    await hiding.registration.register(byEmail(first), context());
    await hiding.serveBackground();
    const planted = hiding.messages.code(first.email);
    await hiding.registration.register({ ...byEmail(second), identifier: first.email }, context());
    await hiding.serveBackground();
    expect(hiding.messages.sent.map(({ kind, to, username }) => ({ kind, to, username }))).toEqual([
      { kind: "signup", to: first.email, username: first.username },
      { kind: "signup", to: first.email, username: second.username },
    ]);
    const confirm = (code: string) =>
      hiding.verification.confirmByCode("email", first.email, code, undefined, context());
    if (planted !== hiding.messages.code(first.email))
      expect(await refusal(confirm(planted))).toBe("invalid_or_expired_code");
    await confirm(hiding.messages.code(first.email));
    expect(await f.users.byUsername(second.username)).toMatchObject({ email: first.email });
    expect(await f.users.byUsername(first.username)).toBeUndefined();
  });

  it("holds the name for as long where there is no registration behind it", async () => {
    const hiding = f.under({ registration: { verification: "required", hideExisting: true } });
    const owner = await addUser(f);
    for (const identifier of [person().email, owner.email ?? ""]) {
      const p = person();
      await hiding.registration.register({ ...byEmail(p), identifier }, context());
      await hiding.serveBackground();
      await hiding.registration.abandon(identifier, p.password, context());
      await hiding.registration.resend("email", identifier, context());
      await hiding.serveBackground();
      expect(await hiding.books.pending.exists("email", identifier)).toBe(false);
      expect(await hiding.registration.availability({ username: p.username })).toEqual({
        username: { available: false, error: "username_in_use" },
      });
    }
  });

  it("with strict statuses and no verification, a taken address still costs its owner nothing but a message", async () => {
    const strict = f.under({ registration: { verification: "none" }, strictStatus: true });
    const owner = await addUser(f);
    const p = person();
    const reply = await strict.registration.register(
      { ...byEmail(p), identifier: owner.email ?? "" },
      context(),
    );
    expect(reply).toMatchObject({ nextAction: "none", login: undefined });
    await strict.serveBackground();
    expect(strict.messages.sent.map(({ kind }) => kind)).toEqual(["notice_registration_attempt"]);
    expect(await f.users.byUsername(p.username)).toBeUndefined();
  });
});

describe("availability", () => {
  it("answers only what is asked, and registration_disabled unless open", async () => {
    expect(await refusal(f.registration.availability({ username: " " }))).toBe("invalid_request");
    expect(await f.registration.availability({ username: "free_name" })).toEqual({
      username: { available: true },
    });
    expect(await f.registration.availability({ username: "root", email: "x" })).toEqual({
      username: { available: false, error: "username_not_allowed" },
      email: { available: false, error: "invalid_email" },
    });
    const refused = { available: false, error: "registration_disabled" };
    expect(await inviteOnly.registration.availability({ username: "x", phoneNumber: "x" })).toEqual({
      username: refused,
      phoneNumber: refused,
    });
  });
});
