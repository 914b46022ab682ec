import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  api,
  behindProxy,
  messagesTo,
  messageTo,
  newAddress,
  newPerson,
  type Person,
} from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({
    env: { ...behindProxy, AUTHKIT_REGISTRATION_VERIFICATION: "required", AUTHKIT_LANGUAGES: "en,es" },
  });
});
afterAll(() => cluster.stop());

const register = (p: Person, change: Record<string, unknown> = {}, path = "/register") =>
  api(cluster, path, {
    body: { identifier: p.email, username: p.username, password: p.password, ...change },
  });

const confirm = (channel: "email" | "phone", body: unknown, bearer?: string) =>
  api(cluster, `/${channel}/verify/confirm`, { body, ...(bearer === undefined ? {} : { bearer }) });

const tokens = {
  access_token: expect.any(String),
  token_type: "Bearer",
  expires_in: expect.any(Number),
  refresh_token: expect.stringMatching(/^[\w-]{43}$/),
};

describe("POST /register under the policy `required`", () => {
  it("answers 202 without tokens, and the code makes the account", async () => {
    const p = newPerson();
    const reply = await register(p);
    expect(reply.status).toBe(202);
    expect(reply.body).toEqual({
      ok: true,
      username: p.username,
      email: p.email,
      phone_number: null,
      discord_username: null,
      next_action: "verify_email",
    });
    expect(reply.headers.get("cache-control")).toBe("no-store");
    const { code } = await messageTo(cluster, p.email);
    const another = newPerson().email;
    expect((await confirm("email", { code, email: another })).code).toBe("invalid_or_expired_code");
    expect((await confirm("email", { code })).code).toBe("invalid_request");
    const confirmed = await confirm("email", { code, email: p.email });
    expect([confirmed.status, confirmed.body]).toEqual([200, tokens]);
    const login = await api(cluster, "/password/login", {
      body: { login: p.username, password: p.password },
    });
    expect([login.status, login.body]).toEqual([200, tokens]);
  });

  it("by phone, confirmed by the token of the link; the link works once", async () => {
    const p = newPerson();
    const reply = await register(p, { identifier: p.phone });
    expect(reply.body).toMatchObject({ email: null, phone_number: p.phone, next_action: "verify_phone" });
    const { token, url } = await messageTo(cluster, p.phone);
    expect(url).toBe(`${cluster.url}/verify?channel=phone&token=${token}`);
    expect((await confirm("email", { token })).code).toBe("invalid_or_expired_token");
    expect((await confirm("phone", { token: ` ${token} ` })).body).toEqual(tokens);
    expect((await confirm("phone", { token })).code).toBe("invalid_or_expired_token");
    expect((await confirm("phone", { token, phone_number: p.phone })).code).toBe("phone_already_verified");
  });

  it.each([
    [{ identifier: "" }, "invalid_request", undefined],
    [{ unknown: 1 }, "invalid_request", undefined],
    [{ password: 1 }, "invalid_request", undefined],
    [{ password: "short" }, "password_too_short", "password"],
    [{ username: "abc" }, "username_too_short", "username"],
    [{ username: "a".repeat(31) }, "username_too_long", "username"],
    [{ username: "1abc" }, "username_must_start_with_letter", "username"],
    [{ username: "ab@cd" }, "username_cannot_contain_at", "username"],
    [{ username: "ab-cd" }, "username_invalid_characters", "username"],
    [{ username: "root" }, "username_not_allowed", "username"],
    [{ identifier: "no address" }, "invalid_identifier", undefined],
  ])("refuses %j with %s", async (change, code, param) => {
    const reply = await register(newPerson(), change);
    expect([reply.status, reply.code]).toEqual([400, code]);
    expect(Reflect.get(Object(reply.body["error"]), "param")).toBe(param);
  });

  it("by phone, the number written for people wherever it is asked for", async () => {
    const person = newPerson();
    const spaced = `${person.phone.slice(0, 3)} (${person.phone.slice(3, 6)}) ${person.phone.slice(6)}`;
    await api(cluster, "/register", {
      body: { identifier: spaced, username: person.username, password: person.password },
    });
    const { code } = await messageTo(cluster, person.phone);
    const reply = await api(cluster, "/phone/verify/confirm", { body: { phone_number: spaced, code } });
    expect([reply.status, typeof reply.body["access_token"]]).toEqual([200, "string"]);
  });

  it("holds address and name of a pending registration", async () => {
    const p = newPerson();
    await register(p);
    // The address has a budget of its own: whoever tries it from elsewhere has to wait as well.
    expect((await register(newPerson(), { identifier: p.email.toUpperCase() })).code).toBe("rate_limited");
    expect((await register(newPerson(), { username: p.username.toUpperCase() })).code).toBe(
      "username_in_use",
    );
    const asked = await api(
      cluster,
      `/register/availability?username=${p.username}&email=${p.email}&phone_number=%2B1555`,
    );
    expect(asked.body).toEqual({
      username: { available: false, error: "username_in_use" },
      email: { available: false, error: "email_in_use" },
      phone_number: { available: true },
    });
    expect((await api(cluster, "/register/availability?username=%20")).code).toBe("invalid_request");
  });

  it("makes one account of fifty simultaneous confirmations", async () => {
    const p = newPerson();
    await register(p);
    const { token } = await messageTo(cluster, p.email);
    const replies = await Promise.all(Array.from({ length: 50 }, () => confirm("email", { token })));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(replies.filter(({ code }) => code === "invalid_or_expired_token")).toHaveLength(49);
  });

  it("charges the client address before it reads anything", async () => {
    const ip = newAddress();
    await api(cluster, "/register", { ip, body: "nonsense" });
    const second = await api(cluster, "/register", { ip, body: "nonsense" });
    expect([second.status, second.code]).toEqual([429, "rate_limited"]);
    expect(second.body["error"]).toMatchObject({ metadata: { action: "register", reason: "cooldown" } });
  });
});

describe("resending and giving up", () => {
  it("keeps the language of the registration", async () => {
    const p = newPerson();
    await register(p, {}, "/register?lang=es");
    const first = await messageTo(cluster, p.email);
    const again = await api(cluster, "/register/resend-email?lang=en", { body: { email: ` ${p.email} ` } });
    expect([again.status, again.body]).toEqual([202, { ok: true }]);
    const second = await messageTo(cluster, p.email, 2);
    const shape = (text: string) => text.replace(/\d{6}|https?:\/\/\S+/g, "…");
    expect(shape(second.text)).toBe(shape(first.text));
    const english = newPerson();
    await register(english, {}, "/register?lang=en");
    expect(shape((await messageTo(cluster, english.email)).text)).not.toBe(shape(first.text));
    expect((await confirm("email", { token: first.token })).code).toBe("invalid_or_expired_token");
    expect((await confirm("email", { token: second.token })).status).toBe(200);
  });

  it("404 when nothing is pending, then 429 with the wait", async () => {
    const ip = newAddress();
    const ask = () => api(cluster, "/register/resend-email", { ip, body: { email: newPerson().email } });
    const first = await ask();
    expect([first.status, first.code]).toEqual([404, "pending_registration_not_found"]);
    const second = await ask();
    expect(second.status).toBe(429);
    expect(second.headers.get("retry-after")).toBe("60");
    expect(second.headers.get("ratelimit-limit")).toBe("6");
    expect(second.headers.get("ratelimit-remaining")).toBe("5");
    expect(second.body["error"]).toMatchObject({
      code: "rate_limited",
      type: "rate_limit_error",
      metadata: { action: "request_email_verification", cooldown_seconds: 60, window_seconds: 3600 },
    });
  });

  it("limits by address as well, by e-mail and by phone", async () => {
    const p = newPerson();
    for (const [path, body] of [
      ["/register/resend-email", { email: p.email }],
      ["/register/resend-phone", { phone_number: p.phone }],
    ] as const) {
      expect((await api(cluster, path, { body })).code).toBe("pending_registration_not_found");
      expect((await api(cluster, path, { body })).code).toBe("rate_limited");
    }
    expect((await api(cluster, "/register/resend-email", { body: { email: "x" } })).code).toBe(
      "invalid_email",
    );
    expect((await api(cluster, "/register/resend-phone", { body: { phone_number: "1" } })).code).toBe(
      "invalid_phone_number",
    );
  });

  it("gives up with the right password and never tells", async () => {
    const p = newPerson();
    await register(p);
    const abandon = (body: unknown) => api(cluster, "/register/abandon", { body });
    expect((await abandon({ email: p.email })).code).toBe("invalid_request");
    const unknown = await abandon({ identifier: newPerson().email, password: p.password });
    const known = await abandon({ email: p.email, password: p.password });
    expect([known.status, known.body]).toEqual([200, { ok: true }]);
    expect([unknown.status, unknown.body]).toEqual([200, { ok: true }]);
    expect((await api(cluster, "/register/resend-email", { body: { email: p.email } })).status).toBe(404);
    const free = await api(cluster, `/register/availability?username=${p.username}&email=${p.email}`);
    expect(free.body).toEqual({ username: { available: true }, email: { available: true } });
  });

  it("a login while the registration is pending sends the code again", async () => {
    const p = newPerson();
    await register(p);
    await messageTo(cluster, p.email);
    const wrong = await api(cluster, "/password/login", {
      body: { email: p.email, password: "wrong password" },
    });
    expect([wrong.status, wrong.code]).toEqual([401, "invalid_credentials"]);
    const login = await api(cluster, "/password/login", { body: { email: p.email, password: p.password } });
    expect([login.status, login.body]).toEqual([
      200,
      { requires_verification: true, identifier: p.email, channel: "email" },
    ]);
    const { code } = await messageTo(cluster, p.email, 2);
    expect((await confirm("email", { code, identifier: p.email })).status).toBe(200);
    expect(await messagesTo(cluster, p.email)).toHaveLength(2);
  });
});

describe("POST /{channel}/verify/request without signing in", () => {
  it("re-sends a pending registration; verified and unknown addresses are told", async () => {
    const p = newPerson();
    await register(p);
    const ask = (email: string) => api(cluster, "/email/verify/request", { body: { email } });
    expect((await ask(p.email)).body).toEqual({ ok: true });
    const { token } = await messageTo(cluster, p.email, 2);
    expect((await confirm("email", { token })).status).toBe(200);
    const limited = await ask(p.email);
    expect([limited.status, limited.code]).toEqual([429, "rate_limited"]);
    const q = newPerson();
    await register(q, { identifier: q.phone });
    const { code } = await messageTo(cluster, q.phone);
    await confirm("phone", { code, phone_number: q.phone });
    const verified = await api(cluster, "/phone/verify/request", { body: { phone_number: q.phone } });
    expect([verified.status, verified.code]).toEqual([409, "phone_already_verified"]);
    const unknown = await ask(newPerson().email);
    expect([unknown.status, unknown.code]).toEqual([404, "user_not_found"]);
    expect((await ask("x")).code).toBe("invalid_email");
    expect((await api(cluster, "/phone/verify/request", { body: { phone_number: "x" } })).code).toBe(
      "invalid_phone_number",
    );
    const badBearer = await api(cluster, "/email/verify/request", {
      body: { email: q.email },
      bearer: "x.y.z",
    });
    expect([badBearer.status, badBearer.code]).toEqual([401, "invalid_token"]);
  });

  it("a right code wins over the guesses that come too late, every time", async () => {
    const people = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const p = newPerson();
        await register(p);
        return { email: p.email, code: (await messageTo(cluster, p.email)).code };
      }),
    );
    const confirmed = await Promise.all(
      people.map(async (body) => {
        const replies = await Promise.all(Array.from({ length: 8 }, () => confirm("email", body)));
        return replies.filter(({ status }) => status === 200).length;
      }),
    );
    expect(confirmed).toEqual(people.map(() => 1));
  });

  it("five wrong codes kill the right one", async () => {
    const p = newPerson();
    await register(p);
    const { code, token } = await messageTo(cluster, p.email);
    for (let n = 0; n < 5; n++) {
      const guess = String((Number(code) + 1 + n) % 1_000_000).padStart(6, "0");
      expect((await confirm("email", { code: guess, email: p.email })).code).toBe("invalid_or_expired_code");
    }
    expect((await confirm("email", { code, email: p.email })).code).toBe("invalid_or_expired_code");
    expect((await confirm("email", { token })).status).toBe(200);
  });
});

describe("links that hosts mail themselves", () => {
  it.each([
    ["/email/verify/confirm", "/verify", "email"],
    ["/phone/verify/confirm", "/verify", "phone"],
    ["/email/password/reset/confirm", "/reset", "email"],
    ["/phone/password/reset/confirm", "/reset", "phone"],
  ])("GET %s sends the browser on", async (path, page, channel) => {
    const location = async (query: string) => {
      const reply = await api(cluster, `${path}${query}`);
      expect(reply.status).toBe(302);
      return reply.headers.get("location");
    };
    const base = `${cluster.url}${page}?channel=${channel}`;
    expect(await location("?token=%20T%20&return_to=%2Fplans%3Fx%3D1")).toBe(
      `${base}&return_to=%2Fplans%3Fx%3D1&status=ready&token=T`,
    );
    expect(await location("")).toBe(`${base}&status=invalid_request`);
    for (const evil of [
      "https://evil.example",
      "//evil.example",
      "/\\evil.example",
      "/\t/evil.example",
      "/",
    ]) {
      expect(await location(`?token=T&return_to=${encodeURIComponent(evil)}`)).toBe(
        `${base}&status=ready&token=T`,
      );
    }
  });

  it("does not use the token up", async () => {
    const p = newPerson();
    await register(p);
    const { token } = await messageTo(cluster, p.email);
    await api(cluster, `/email/verify/confirm?token=${token}&return_to=https://evil.example`);
    await api(cluster, `/email/verify/confirm?token=${token}`, { method: "HEAD" });
    expect((await confirm("email", { token })).status).toBe(200);
  });
});

it.each([
  ["POST", "/email/password/reset/confirm-link"],
  ["POST", "/phone/password/reset/confirm-link"],
  ["PATCH", "/user/email"],
  ["PATCH", "/user/phone"],
])("%s %s does not exist", async (method, path) => {
  expect((await api(cluster, path, { method, body: {} })).status).toBe(404);
});
