import { once } from "node:events";
import { mkdtemp, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startChromium } from "../support/chromium.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { request } from "../support/http.ts";
import { startOpenIdProvider, type TestOpenIdProvider } from "../support/openid-provider.ts";
import { freePort } from "../support/ports.ts";

let cluster: TestCluster;
let provider: TestOpenIdProvider;
let frontEnd: Server;
let frontEndUrl: string;
let browser: Browser;

/** The page of an application: keeps what it is told in a variable the test reads. */
const page = `<!doctype html><title>app</title><script>
  window.messages = [];
  addEventListener("message", (event) => messages.push({ origin: event.origin, data: event.data }));
</script>`;

beforeAll(async () => {
  frontEnd = createServer((_request, response) => response.setHeader("content-type", "text/html").end(page));
  frontEnd.listen(0, "127.0.0.1");
  await once(frontEnd, "listening");
  const address = frontEnd.address();
  frontEndUrl = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  const url = `http://127.0.0.1:${await freePort()}`;
  provider = await startOpenIdProvider([`${url}/api/v1/oidc/acme/callback`]);
  const config = join(await mkdtemp(join(tmpdir(), "authkit-browser-")), "authkit.yaml");
  await writeFile(
    config,
    `providers:\n  - { name: acme, kind: oidc, issuer: "${provider.issuer}", client_id: ${provider.clientId}, client_secret: ${provider.clientSecret} }\n`,
  );
  cluster = await startCluster({
    env: {
      AUTHKIT_CONFIG: config,
      AUTHKIT_LISTEN_ADDR: new URL(url).host,
      AUTHKIT_ISSUER: url,
      AUTHKIT_PUBLIC_URL: url,
      AUTHKIT_BASE_URL: frontEndUrl,
    },
    url,
  });
  browser = await startChromium();
});
afterAll(async () => {
  await browser?.close();
  await cluster?.stop();
  await provider?.stop();
  frontEnd?.closeAllConnections();
  frontEnd?.close();
});

async function emailOf(accessToken: string | null): Promise<unknown> {
  return (await request(`${cluster.api}/me`, { bearer: accessToken ?? "" })).body["email"];
}

test("by redirect: the front end gets the tokens in the fragment, and the address bar is all that saw them", async () => {
  provider.person({ sub: "chromium-1", email: "chromium-1@example.com", email_verified: true });
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(`${cluster.api}/oidc/acme/login?return_to=/after`);
  await tab.waitForURL((url) => url.origin === frontEndUrl);
  const fragment = new URLSearchParams(new URL(tab.url()).hash.slice(1));
  expect(fragment.get("return_to")).toBe("/after");
  expect(await emailOf(fragment.get("access_token"))).toBe("chromium-1@example.com");
  const left = (await context.cookies()).filter(({ name }) => name.startsWith("authkit"));
  expect(left).toEqual([]);
  await context.close();
});

test("by popup: the opener is told, by its origin and nonce", async () => {
  provider.person({ sub: "chromium-2", email: "chromium-2@example.com", email_verified: true });
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(frontEndUrl);
  const [popup] = await Promise.all([
    tab.waitForEvent("popup"),
    tab.evaluate(
      `void open("${cluster.api}/oidc/acme/login?ui=popup&popup_nonce=n-7", "login", "width=400,height=500")`,
    ),
  ]);
  const told = await tab.waitForFunction("messages[0]");
  const message: unknown = await told.jsonValue();
  expect(message).toMatchObject({ origin: cluster.url, data: { type: "AUTHKIT_OIDC_RESULT", nonce: "n-7" } });
  const token = /"access_token":"([^"]+)"/.exec(JSON.stringify(message))?.[1] ?? null;
  expect(await emailOf(token)).toBe("chromium-2@example.com");
  await popup.close();
  await context.close();
});

test("a popup opened by another origin tells it nothing", async () => {
  provider.person({ sub: "chromium-3", email: "chromium-3@example.com", email_verified: true });
  const other = createServer((_request, response) =>
    response.setHeader("content-type", "text/html").end(page),
  );
  other.listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  const context = await browser.newContext();
  const tab = await context.newPage();
  await tab.goto(`http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`);
  const [popup] = await Promise.all([
    tab.waitForEvent("popup"),
    tab.evaluate(`void open("${cluster.api}/oidc/acme/login?ui=popup&popup_nonce=n-8")`),
  ]);
  await popup.waitForURL((url) => url.pathname.endsWith("/callback")).catch(() => undefined);
  await popup.waitForLoadState();
  await popup.waitForTimeout(500);
  expect(await tab.evaluate("messages")).toEqual([]);
  await context.close();
  other.closeAllConnections();
  other.close();
});
