import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isAuthError } from "../../../src/contract/errors/index.ts";
import {
  addUser,
  context,
  type Fixture,
  type Flows,
  openFixture,
  person,
  refusal,
} from "../registration/fixture.ts";

let f: Fixture;
let required: Flows;
let strict: Flows;
beforeAll(async () => {
  f = await openFixture();
  required = f.under({ registration: { verification: "required" } });
  strict = f.under({ strictStatus: true, registration: { verification: "required" } });
});
afterAll(() => f.close());

type Added = Awaited<ReturnType<typeof addUser>>;
const emailOf = (user: Added): string => user.email ?? "";
const phoneOf = (user: Added): string => user.phoneNumber ?? "";
const unverified = () => addUser(f, { emailVerified: false, phoneVerified: false });
const wrong = (code: string): string => (code === "000000" ? "000001" : "000000");

const confirmCode = (flows: Flows, address: string, code: string, userId?: string) =>
  flows.verification.confirmByCode("email", address, code, userId, context());
const confirmToken = (flows: Flows, token: string, address = "") =>
  flows.verification.confirmByToken("email", token, address, context());

describe("asking for verification", () => {
  it("sends code and link for an unverified contact in the account's language", async () => {
    const user = await addUser(f, { emailVerified: false, preferredLanguage: "es" });
    await f.verification.request("email", emailOf(user), context({ language: "en" }));
    expect(f.messages.last(emailOf(user))).toMatchObject({
      kind: "contact_verify",
      channel: "email",
      language: "es",
      username: user.username,
      ttlSeconds: 3600,
    });
    expect(f.messages.last(emailOf(user)).url).toMatch(/verify\?channel=email&token=[\w-]{43}$/);
    await f.verification.request("phone", phoneOf(user), context());
    expect(f.messages.last(phoneOf(user))).toMatchObject({ channel: "sms", ttlSeconds: 900 });
  });

  it("tells verified, unknown, deleted and banned accounts as the contract does", async () => {
    const verified = await addUser(f);
    const ask = (flows: Flows, address: string) =>
      refusal(flows.verification.request("email", address, context()));
    expect(await ask(f, emailOf(verified))).toBe("email_already_verified");
    expect(await ask(f, "nobody@example.com")).toBe("user_not_found");
    const banned = await unverified();
    await f.users.ban({ userId: banned.id, reason: null, until: null, bannedBy: null }, context(), {
      ownerGuard: "warn",
    });
    expect(await ask(f, emailOf(banned))).toBe("user_not_found");
    const deleted = await unverified();
    await f.users.softDelete(deleted.id, context(), { ownerGuard: "warn" });
    expect(await ask(f, emailOf(deleted))).toBe("user_not_found");
  });

  it("tells nothing with strict statuses, and does the work in the background", async () => {
    const user = await unverified();
    for (const address of ["nobody@example.com", emailOf(await addUser(f)), emailOf(user)]) {
      await strict.verification.request("email", address, context());
      expect(strict.messages.sent).toEqual([]);
    }
    expect(strict.queue.jobs).toHaveLength(3);
    expect(JSON.stringify(strict.queue.jobs)).not.toContain("example.com");
    await strict.serveBackground();
    expect(strict.messages.sent.map(({ to }) => to)).toEqual([emailOf(user)]);
  });

  it("re-sends a pending registration", async () => {
    const p = person();
    await required.registration.register({ ...p, identifier: p.email }, context());
    await required.verification.request("email", p.email, context());
    expect(required.messages.sent.filter(({ to }) => to === p.email).map(({ kind }) => kind)).toEqual([
      "signup",
      "signup",
    ]);
  });
});

describe("while the code secret is exchanged", () => {
  const [older, newer] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
  const of = (codeSecret: Buffer, ...codeFormerSecrets: Buffer[]) =>
    f.under({ keys: { codeSecret, codeFormerSecrets } });

  it("a code from either side is good on the other", async () => {
    for (const [issuing, confirming] of [
      [of(older, newer), of(newer, older)],
      [of(newer, older), of(older, newer)],
    ] as const) {
      const user = await unverified();
      await issuing.verification.request("email", emailOf(user), context());
      const code = issuing.messages.code(emailOf(user));
      expect(await refusal(confirmCode(of(newer), emailOf(user), code)), "without the former").toBe(
        issuing.config.keys.codeSecret === newer ? undefined : "invalid_or_expired_code",
      );
      if (issuing.config.keys.codeSecret === older)
        expect(await confirmCode(confirming, emailOf(user), code)).toMatchObject({ kind: "signed_in" });
    }
  });

  it("a new code replaces one from the other side, and wrong guesses kill it there too", async () => {
    const [before, after] = [of(older, newer), of(newer, older)];
    const user = await unverified();
    await before.verification.request("email", emailOf(user), context());
    const first = before.messages.code(emailOf(user));
    const link = before.messages.token(emailOf(user));
    await after.verification.request("email", emailOf(user), context());
    const second = after.messages.code(emailOf(user));
    if (first !== second)
      expect(await refusal(confirmCode(before, emailOf(user), first))).toBe("invalid_or_expired_code");
    expect(await refusal(confirmToken(before, link))).not.toBeUndefined();
    for (let guess = 0; guess < 5; guess++)
      expect(await refusal(confirmCode(before, emailOf(user), wrong(second)))).toBe(
        "invalid_or_expired_code",
      );
    expect(await refusal(confirmCode(after, emailOf(user), second))).toBe("invalid_or_expired_code");
  });
});

describe("confirming an account's contact", () => {
  it("by code: only with the address the code went to, and only once", async () => {
    const user = await unverified();
    const other = await unverified();
    await f.verification.request("email", emailOf(user), context());
    const code = f.messages.code(emailOf(user));
    expect(await refusal(confirmCode(f, emailOf(other), code))).toBe("invalid_or_expired_code");
    const outcome = await confirmCode(f, emailOf(user), code);
    expect(outcome).toMatchObject({ kind: "signed_in", outcome: { kind: "granted", userId: user.id } });
    expect(await f.users.byId(user.id)).toMatchObject({ emailVerified: true });
    expect(await refusal(confirmCode(f, emailOf(user), code))).toBe("invalid_or_expired_code");
    const [event] = await f.query(
      "SELECT event, method FROM S.session_events WHERE user_id = $1 AND event = 'session_created'",
      [user.id],
    );
    expect(event).toMatchObject({ method: "email_verification" });
  });

  it("by link: the other channel's tokens never match, and it works once", async () => {
    const user = await unverified();
    await f.verification.request("email", emailOf(user), context());
    const token = f.messages.token(emailOf(user));
    expect(await refusal(f.verification.confirmByToken("phone", token, "", context()))).toBe(
      "invalid_or_expired_token",
    );
    expect((await confirmToken(f, token)).kind).toBe("signed_in");
    expect(await refusal(confirmToken(f, token))).toBe("invalid_or_expired_token");
  });

  it("one of fifty simultaneous confirmations wins", async () => {
    const user = await unverified();
    await f.verification.request("email", emailOf(user), context());
    const token = f.messages.token(emailOf(user));
    const results = await Promise.all(Array.from({ length: 50 }, () => refusal(confirmToken(f, token))));
    expect(results.filter((code) => code === undefined)).toHaveLength(1);
  });

  it("says why a link is dead to whoever names the address", async () => {
    const verified = await addUser(f);
    const user = await unverified();
    const p = person();
    await required.registration.register({ ...p, identifier: p.email }, context());
    const dead = (address: string) => refusal(confirmToken(f, "x".repeat(43), address));
    expect(await dead("")).toBe("invalid_or_expired_token");
    expect(await dead("no address")).toBe("invalid_or_expired_token");
    expect(await dead(emailOf(verified).toUpperCase())).toBe("email_already_verified");
    expect(await dead(emailOf(user))).toBe("verification_link_expired");
    expect(await dead(p.email)).toBe("invalid_or_expired_token");
    expect(await dead("nobody@example.com")).toBe("verification_link_expired");
  });

  it("fails when the account has another address by now, by code and by link, and opens no session", async () => {
    for (const by of ["code", "token"] as const) {
      const user = await unverified();
      await f.verification.request("phone", phoneOf(user), context());
      const [code, token] = [f.messages.code(phoneOf(user)), f.messages.token(phoneOf(user))];
      await f.users.changePhone(user.id, person().phone, false, context());
      const work =
        by === "code"
          ? f.verification.confirmByCode("phone", phoneOf(user), code, undefined, context())
          : f.verification.confirmByToken("phone", token, "", context());
      expect(await refusal(work)).toBe(`invalid_or_expired_${by}`);
      expect(await f.users.byId(user.id)).toMatchObject({ phoneVerified: false });
      expect(await f.sessions.list(user.id)).toEqual([]);
    }
  });

  it("sets the flag of a banned account, and lets nobody in", async () => {
    const user = await unverified();
    await f.verification.request("email", emailOf(user), context());
    await f.users.ban({ userId: user.id, reason: null, until: null, bannedBy: null }, context(), {
      ownerGuard: "warn",
    });
    expect(await refusal(confirmToken(f, f.messages.token(emailOf(user))))).toBe("user_banned");
    expect(await f.users.byId(user.id)).toMatchObject({ emailVerified: true });
  });

  it("hands over to the second factor of an enrolled user", async () => {
    const user = await unverified();
    const enrolled = f.under({});
    enrolled.secondFactor.answer = {
      kind: "second_factor_required",
      userId: user.id,
      method: "totp",
      verificationId: "",
      challenge: "c",
      defaultFactor: { id: "", method: "totp", isDefault: true, phoneNumber: null },
      availableFactors: [],
    };
    await enrolled.verification.request("email", emailOf(user), context());
    expect(await confirmToken(enrolled, enrolled.messages.token(emailOf(user)))).toMatchObject({
      kind: "signed_in",
      outcome: { kind: "second_factor_required" },
    });
    expect(await f.users.byId(user.id)).toMatchObject({ emailVerified: true });
  });
});

describe("wrong codes", () => {
  it("kill the code and link of an account at the fifth, and not before", async () => {
    for (const misses of [4, 5]) {
      const user = await unverified();
      await f.verification.request("email", emailOf(user), context());
      const code = f.messages.code(emailOf(user));
      for (let n = 0; n < misses; n++)
        expect(await refusal(confirmCode(f, emailOf(user), wrong(code)))).toBe("invalid_or_expired_code");
      const expected = misses < 5 ? undefined : "invalid_or_expired_code";
      expect(await refusal(confirmCode(f, emailOf(user), code))).toBe(expected);
      if (misses === 5) {
        const token = f.messages.token(emailOf(user));
        expect(await refusal(confirmToken(f, token))).toBe("invalid_or_expired_token");
        await f.verification.request("email", emailOf(user), context());
        await confirmCode(f, emailOf(user), f.messages.code(emailOf(user)));
      }
    }
  });

  it("kill only the code of a pending registration: its owner asks for another one", async () => {
    const p = person();
    await required.registration.register({ ...p, identifier: p.email }, context());
    const code = required.messages.code(p.email);
    for (let n = 0; n < 5; n++) await refusal(confirmCode(required, p.email, wrong(code)));
    expect(await refusal(confirmCode(required, p.email, code))).toBe("invalid_or_expired_code");
    await required.registration.resend("email", p.email, context());
    expect((await confirmCode(required, p.email, required.messages.code(p.email))).kind).toBe("signed_in");
  });

  it("cannot outnumber the limit by coming at once", async () => {
    const user = await unverified();
    await f.verification.request("email", emailOf(user), context());
    const code = f.messages.code(emailOf(user));
    const guesses = Array.from({ length: 40 }, (_, n) => String(n).padStart(6, "0")).filter(
      (c) => c !== code,
    );
    await Promise.all(guesses.map((guess) => refusal(confirmCode(f, emailOf(user), guess))));
    expect(await refusal(confirmCode(f, emailOf(user), code))).toBe("invalid_or_expired_code");
  });

  it("a right code starts the count anew", async () => {
    const user = await unverified();
    for (let round = 0; round < 2; round++) {
      await f.users.setEmailVerified(user.id, false);
      await f.verification.request("email", emailOf(user), context());
      const code = f.messages.code(emailOf(user));
      for (let n = 0; n < 4; n++) await refusal(confirmCode(f, emailOf(user), wrong(code)));
      await confirmCode(f, emailOf(user), code);
    }
  });
});

describe("changing a contact", () => {
  it("needs the code and the account, or the link; tells the old address", async () => {
    const user = await addUser(f);
    const stranger = await addUser(f);
    const next = person().email;
    await f.contactChanges.request(user.id, "email", next, context());
    expect(f.messages.last(next)).toMatchObject({ kind: "contact_change", username: user.username });
    expect(await f.users.byId(user.id)).toMatchObject({ email: user.email });
    const code = f.messages.code(next);
    expect(await refusal(confirmCode(f, next, code))).toBe("invalid_or_expired_code");
    expect(await refusal(confirmCode(f, next, code, stranger.id))).toBe("invalid_or_expired_code");
    expect(await confirmCode(f, next, code, user.id)).toEqual({ kind: "contact_changed" });
    expect(await f.users.byId(user.id)).toMatchObject({ email: next, emailVerified: true });
    expect(f.messages.last(emailOf(user))).toMatchObject({ kind: "notice_contact_changed" });
    const [row] = await f.query("SELECT email_proven FROM S.users WHERE id = $1", [user.id]);
    expect(row).toEqual({ email_proven: true });
  });

  it("by link without signing in, once, of many at once", async () => {
    const user = await addUser(f);
    const next = person().phone;
    await f.contactChanges.request(user.id, "phone", next, context());
    const token = f.messages.token(next);
    const results = await Promise.all(
      Array.from({ length: 20 }, () => refusal(f.verification.confirmByToken("phone", token, "", context()))),
    );
    expect(results.filter((code) => code === undefined)).toHaveLength(1);
    expect(await f.users.byId(user.id)).toMatchObject({ phoneNumber: next, phoneVerified: true });
    expect(await f.sessions.list(user.id)).toEqual([]);
    expect(f.messages.last(phoneOf(user))).toMatchObject({ kind: "notice_contact_changed", channel: "sms" });
  });

  it("refuses the present address and one of somebody else; verifies the present, unverified one", async () => {
    const user = await addUser(f);
    const other = await addUser(f);
    const ask = (channel: "email" | "phone", address: string) =>
      refusal(f.contactChanges.request(user.id, channel, address, context()));
    expect(await ask("email", emailOf(user))).toBe("email_unchanged");
    expect(await ask("email", emailOf(other))).toBe("email_in_use");
    expect(await ask("phone", phoneOf(other))).toBe("phone_in_use");
    expect(await ask("phone", phoneOf(user))).toBeUndefined();
    expect(f.messages.last(phoneOf(user))).toMatchObject({ kind: "contact_verify" });
  });

  it("replaces the user's older change and leaves that of others with the same target alone", async () => {
    const [user, other] = [await addUser(f), await addUser(f)];
    const [first, second] = [person().email, person().email];
    await f.contactChanges.request(user.id, "email", first, context());
    const old = f.messages.token(first);
    await f.contactChanges.request(other.id, "email", second, context());
    const others = f.messages.token(second);
    await f.contactChanges.request(user.id, "email", second, context());
    expect(await refusal(confirmToken(f, old))).toBe("invalid_or_expired_token");
    expect(await confirmToken(f, others)).toEqual({ kind: "contact_changed" });
    // The address went to somebody else: this change fails, and is kept.
    const token = f.messages.token(second);
    expect(await refusal(confirmToken(f, token))).toBe("invalid_or_expired_token");
    await f.users.changeEmail(other.id, person().email, true, context());
    expect(await confirmToken(f, token)).toEqual({ kind: "contact_changed" });
  });

  it("dies at the fifth wrong code, when it is cancelled, and with the account", async () => {
    const user = await addUser(f);
    const next = person().email;
    await f.contactChanges.request(user.id, "email", next, context());
    const code = f.messages.code(next);
    for (let n = 0; n < 5; n++) await refusal(confirmCode(f, next, wrong(code), user.id));
    expect(await refusal(confirmCode(f, next, code, user.id))).toBe("invalid_or_expired_code");
    await f.contactChanges.request(user.id, "email", next, context());
    await f.contactChanges.cancel(user.id, "email");
    expect(await refusal(confirmToken(f, f.messages.token(next)))).toBe("invalid_or_expired_token");
    await f.contactChanges.request(user.id, "email", next, context());
    await f.users.softDelete(user.id, context(), { ownerGuard: "warn" });
    expect(await refusal(confirmToken(f, f.messages.token(next)))).toBe("invalid_or_expired_token");
  });
});

describe("signing in before the contact is verified", () => {
  const login = (flows: Flows, identifier: string, password: string) =>
    flows.passwordLogin.signIn(identifier, password, context());

  it("policy required: sends a code and holds the login back, after the password was right", async () => {
    const p = person();
    const passwordHash = await f.passwords.hash(p.password, context());
    const user = await addUser(f, { emailVerified: false, passwordHash });
    expect(await refusal(login(required, emailOf(user), "wrong password"))).toBe("invalid_credentials");
    const held = { kind: "verification_required", identifier: emailOf(user), channel: "email" };
    expect(await login(required, user.username ?? "", p.password)).toEqual(held);
    await confirmCode(required, emailOf(user), required.messages.code(emailOf(user)));
    const phone = await login(required, emailOf(user), p.password);
    expect(phone).toEqual({ kind: "verification_required", identifier: phoneOf(user), channel: "phone" });
    await f.users.setPhoneVerified(user.id, phoneOf(user));
    expect((await login(required, emailOf(user), p.password)).kind).toBe("granted");
    const history = await f.query(
      "SELECT reason FROM S.session_events WHERE user_id = $1 AND event = 'session_failed' ORDER BY reason",
      [user.id],
    );
    expect(history).toEqual([
      { reason: "email_not_verified" },
      { reason: "invalid_credentials" },
      { reason: "phone_not_verified" },
    ]);
  });

  it("lets accounts older than the policy in, and those nothing can be sent to", async () => {
    const p = person();
    const passwordHash = await f.passwords.hash(p.password, context());
    const user = await addUser(f, { emailVerified: false, passwordHash });
    const exempt = f.under({
      registration: { verification: "required", verificationExemptBefore: new Date("2030-01-01") },
    });
    expect((await login(exempt, emailOf(user), p.password)).kind).toBe("granted");
    const mute = f.under({ registration: { verification: "required" } });
    mute.messages.channels = [];
    expect((await login(mute, emailOf(user), p.password)).kind).toBe("granted");
  });

  it("a pending registration: the right password sends the code again, a wrong one tells nothing", async () => {
    for (const channel of ["email", "phone"] as const) {
      const p = person();
      const address = p[channel];
      await required.registration.register({ ...p, identifier: address }, context());
      expect(await refusal(login(required, address, "wrong password"))).toBe("invalid_credentials");
      expect(required.messages.sent.filter(({ to }) => to === address)).toHaveLength(1);
      const typed = address.toUpperCase();
      expect(await login(required, ` ${typed} `, p.password)).toEqual({
        kind: "verification_required",
        identifier: typed,
        channel,
      });
      expect(required.messages.sent.filter(({ to }) => to === address)).toHaveLength(2);
    }
  });

  it("answers the hand-off without another message while the last one was just sent", async () => {
    const limited = f.under({ registration: { verification: "required" }, limits: { enabled: true } });
    const p = person();
    const passwordHash = await f.passwords.hash(p.password, context());
    const user = await addUser(f, { emailVerified: false, passwordHash });
    for (let n = 0; n < 3; n++) {
      expect((await login(limited, emailOf(user), p.password)).kind).toBe("verification_required");
      expect(limited.messages.sent).toHaveLength(1);
    }
    await confirmCode(limited, emailOf(user), limited.messages.code(emailOf(user)));
  });
});

it("reports strict statuses only for lost races", async () => {
  const p = person();
  await strict.registration.register({ ...p, identifier: p.email }, context());
  await strict.serveBackground();
  await addUser(f, { email: p.email });
  const error: unknown = await confirmCode(strict, p.email, strict.messages.code(p.email)).catch(
    (thrown: unknown) => thrown,
  );
  expect(isAuthError(error, "email_in_use") && error.status).toBe(409);
});
