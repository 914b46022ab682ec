import { afterAll, beforeAll, expect, test } from "vitest";
import { api, newPerson } from "../support/accounts.ts";
import { answered, throughProvider } from "../support/doors.ts";
import { type OpenHouse, openHouse } from "../support/house.ts";
import { request, type TestReply } from "../support/http.ts";
import { statements } from "../support/refusing.ts";

let house: OpenHouse;
beforeAll(async () => {
  house = await openHouse((acme) => `limits: { enabled: false }\nproviders:\n  - ${acme}\n`, {
    AUTHKIT_REFRESH_COOKIE: "true",
    AUTHKIT_REFRESH_TOKEN_TTL: "720h",
  });
});
afterAll(() => house?.close());

const cookieOf = ({ headers }: TestReply): string =>
  headers.getSetCookie().find((line) => line.startsWith("authkit_rt=")) ?? "";
const tokenOf = (reply: TestReply): string => /^authkit_rt=([^;]*)/.exec(cookieOf(reply))?.[1] ?? "";
const isCleared = (reply: TestReply): boolean => /^authkit_rt=; .*Max-Age=0/.test(cookieOf(reply));

async function registered(): Promise<{ reply: TestReply; token: string; email: string }> {
  const { email, username, password } = newPerson();
  const reply = await api(house.cluster, "/register", { body: { identifier: email, username, password } });
  return { reply, token: tokenOf(reply), email };
}

function refresh(token: string, more: { body?: object; headers?: Record<string, string> } = {}) {
  return api(house.cluster, "/token", {
    body: { grant_type: "refresh_token", ...more.body },
    headers: { cookie: `theme=dark; authkit_rt=${token}`, ...more.headers },
  });
}

test("a refresh token travels in a cookie no script reads, and in no body", async () => {
  const { reply, token } = await registered();
  expect(reply.body).not.toHaveProperty("refresh_token");
  expect(typeof reply.body["access_token"]).toBe("string");
  expect(cookieOf(reply)).toBe(`authkit_rt=${token}; Path=/api/v1; Max-Age=2592000; HttpOnly; SameSite=Lax`);
  const renewed = await refresh(token);
  expect([renewed.status, tokenOf(renewed) === token]).toEqual([200, false]);
  expect(renewed.body).not.toHaveProperty("refresh_token");
  const current = await api(house.cluster, "/sessions/current", {
    body: {},
    headers: { cookie: `authkit_rt=${tokenOf(renewed)}` },
  });
  expect([current.status, typeof current.body["session_id"]]).toEqual([200, "string"]);
});

test("the body's token wins; two cookies are none", async () => {
  const [one, other] = [await registered(), await registered()];
  const wrong = await refresh(one.token, { body: { refresh_token: "x".repeat(43) } });
  expect([wrong.status, wrong.code]).toEqual([401, "invalid_refresh_token"]);
  const both = await refresh(one.token, {
    headers: { cookie: `authkit_rt=${one.token}; authkit_rt=${other.token}` },
  });
  expect([both.status, both.code]).toEqual([400, "invalid_request"]);
  expect((await refresh(one.token)).status).toBe(200);
});

test.each([
  ["another site", "https://evil.example", 400],
  ["no origin at all", "nonsense", 400],
  ["an opaque origin", "null", 200],
])("a page of %s", async (_name, origin, status) => {
  const { token } = await registered();
  expect((await refresh(token, { headers: { origin } })).status).toBe(status);
});

test("the server's own pages may use it", async () => {
  const { token } = await registered();
  expect((await refresh(token, { headers: { origin: house.origin } })).status).toBe(200);
});

test("logging out removes it, either way; so does a refresh of somebody who is banned", async () => {
  const [one, other, banned] = [await registered(), await registered(), await registered()];
  const bearer = String(one.reply.body["access_token"]);
  expect(isCleared(await api(house.cluster, "/logout", { method: "DELETE", bearer }))).toBe(true);
  const out = await api(house.cluster, "/logout", {
    body: {},
    headers: { cookie: `authkit_rt=${other.token}` },
  });
  expect([out.status, isCleared(out)]).toEqual([200, true]);
  expect((await refresh(other.token)).code).toBe("invalid_refresh_token");

  // As another server of the earlier generation does it: a ban of ours ends the sessions too.
  const ban = `UPDATE profiles.users SET banned_at = now() WHERE email = '${banned.email}'`;
  await statements(house.cluster.databaseUrl, ban);
  const refused = await refresh(banned.token);
  expect([refused.status, refused.code]).toEqual([401, "user_banned"]);
  expect(isCleared(refused)).toBe(true);
});

test("a provider's sign-in leaves it out of JSON, fragment and popup", async () => {
  const { cluster, provider } = house;
  const asJson = await throughProvider(house, "cookie-json");
  expect([asJson.status, tokenOf(asJson).length]).toEqual([200, 43]);
  expect(asJson.body).not.toHaveProperty("refresh_token");
  for (const query of ["", "?ui=popup&popup_nonce=n1"]) {
    const started = await request(`${cluster.api}/oidc/acme/login${query}`);
    const { path, cookie } = answered(provider, String(started.headers.get("location")), "cookie-page");
    const reply = await request(`${cluster.api}${path}`, { headers: { cookie, accept: "text/html" } });
    expect(tokenOf(reply), reply.text).toHaveLength(43);
    const visible = `${reply.headers.get("location") ?? ""}${reply.text}`;
    expect(visible).toContain("access_token");
    expect(visible).not.toContain("refresh_token");
  }
});
