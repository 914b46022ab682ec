import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { api, behindProxy, messageTo, newPerson, registered } from "../support/accounts.ts";
import { startChromium } from "../support/chromium.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { request } from "../support/http.ts";
import { freePort } from "../support/ports.ts";

let cluster: TestCluster;
let browser: Browser;
beforeAll(async () => {
  const url = `http://127.0.0.1:${await freePort()}`;
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_LISTEN_ADDR: new URL(url).host,
      AUTHKIT_ISSUER: url,
      AUTHKIT_REGISTRATION_VERIFICATION: "optional",
      AUTHKIT_LANGUAGES: "en,de",
    },
    url,
  });
  browser = await startChromium();
});
afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
});

async function opened(url: string, language = "en"): Promise<Page> {
  const context = await browser.newContext({ locale: language });
  const tab = await context.newPage();
  tab.on("pageerror", (error) => {
    throw error;
  });
  await tab.goto(url);
  return tab;
}

const told = (tab: Page, text: string) =>
  tab.locator("output", { hasText: text }).waitFor({ timeout: 20_000 });
const login = (login: string, password: string) =>
  api(cluster, "/password/login", { body: { login, password } });

test("a link for verification confirms the address when its button is pressed, and leaves no session", async () => {
  const account = await registered(cluster);
  const { url, token } = await messageTo(cluster, account.email);
  // Opening it, as scanners of mail do, uses nothing up.
  await request(url);
  const tab = await opened(url);
  expect(new URL(tab.url()).search).toBe("");
  await tab.getByRole("button", { name: "Confirm" }).click();
  await told(tab, "Confirmed.");
  const me = await api(cluster, "/me", { bearer: account.accessToken });
  expect(me.body["email_verified"]).toBe(true);
  const sessions = await api(cluster, "/user/sessions", { bearer: account.accessToken });
  expect(sessions.body["data"]).toHaveLength(1);
  const again = await opened(`${cluster.url}/verify?channel=email&token=${token}`, "de");
  await again.getByRole("button", { name: "Bestätigen" }).click();
  await told(again, "Dieser Link gilt nicht mehr.");
});

test("a reset link sets the password; one that is too short is said to be", async () => {
  const account = await registered(cluster);
  await api(cluster, "/email/password/reset/request", { body: { email: account.email } });
  const { url } = await messageTo(cluster, account.email, 2);
  const tab = await opened(url);
  await tab.getByLabel("New password").fill("short");
  await tab.getByRole("button", { name: "Set password" }).click();
  await told(tab, "too short");
  await tab.getByLabel("New password").fill("a better password");
  await tab.getByRole("button", { name: "Set password" }).click();
  await told(tab, "is set.");
  expect((await login(account.username, "a better password")).status).toBe(200);
});

test("a page without its token says so; nothing of the address is in it", async () => {
  const tab = await opened(`${cluster.url}/reset`);
  await told(tab, "incomplete");
  expect(await tab.getByRole("button").isDisabled()).toBe(true);
  const mark = newPerson().username;
  const reply = await request(`${cluster.url}/verify?token=${mark}&channel=${mark}`);
  expect(reply.status).toBe(200);
  expect(reply.text).not.toContain(mark);
  expect(reply.headers.get("cache-control")).toBe("no-store");
  expect(reply.headers.get("referrer-policy")).toBe("no-referrer");
  expect(reply.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
});

test("with a front end there are none", async () => {
  const other = await startCluster({ env: { AUTHKIT_BASE_URL: "https://app.example.com" } });
  try {
    expect((await request(`${other.url}/verify`)).status).toBe(404);
  } finally {
    await other.stop();
  }
});
