import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, behindProxy, registered } from "../support/accounts.ts";
import { SoftwareAuthenticator } from "../support/authenticator.ts";
import { startChromium } from "../support/chromium.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { call, type TestReply } from "../support/http.ts";
import { freePort } from "../support/ports.ts";

let cluster: TestCluster;
let origin: string;

beforeAll(async () => {
  const port = await freePort();
  origin = `http://localhost:${port}`;
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_CONFIG: await unlimited(),
      AUTHKIT_LISTEN_ADDR: `127.0.0.1:${port}`,
      AUTHKIT_ISSUER: origin,
      AUTHKIT_PASSKEY_RPID: "localhost",
      AUTHKIT_PASSKEY_ORIGINS: `${origin},http://localhost:${port + 1}`,
    },
    url: `http://127.0.0.1:${port}`,
  });
});
afterAll(() => cluster?.stop());

type Account = Awaited<ReturnType<typeof registered>>;

interface CreationOptions {
  readonly challenge: string;
  readonly rp: { readonly id: string };
  readonly user: { readonly id: string; readonly name: string };
  readonly excludeCredentials?: readonly { readonly id: string }[];
  readonly pubKeyCredParams: readonly { readonly alg: number }[];
}

function creation(reply: TestReply): CreationOptions {
  return JSON.parse(JSON.stringify(reply.body["publicKey"]));
}

const begin = (bearer: string): Promise<TestReply> =>
  api(cluster, "/passkeys/register/begin", { method: "POST", body: {}, bearer });

async function withPasskey(
  options: { readonly counting?: boolean; readonly algorithm?: number } = {},
): Promise<Account & { readonly key: SoftwareAuthenticator; readonly passkeyId: string }> {
  const account = await registered(cluster);
  const key = new SoftwareAuthenticator({ origin, ...options });
  const started = await begin(account.accessToken);
  if (started.status !== 200) throw new Error(started.text);
  const finished = await api(cluster, "/passkeys/register/finish", {
    body: key.create(creation(started)),
    bearer: account.accessToken,
  });
  if (finished.status !== 200) throw new Error(finished.text);
  return { ...account, key, passkeyId: String(finished.body["id"]) };
}

async function challenge(): Promise<{ readonly challenge: string; readonly rpId: string }> {
  const reply = await api(cluster, "/passkeys/login/begin", { method: "POST", body: {} });
  return JSON.parse(JSON.stringify(reply.body["publicKey"]));
}

const finish = (body: unknown): Promise<TestReply> => api(cluster, "/passkeys/login/finish", { body });
const outcome = (reply: TestReply): [number, string | undefined] => [reply.status, reply.code];

function claims(reply: TestReply): Record<string, unknown> {
  const token = String(reply.body["access_token"]);
  return JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
}

describe("registration", () => {
  test("options, answer, list; the next begin leaves the first credential out", async () => {
    const account = await registered(cluster);
    const options = creation(await begin(account.accessToken));
    expect(options.rp.id).toBe("localhost");
    expect(options.user.name).toBe(account.email);
    expect(options.pubKeyCredParams.map(({ alg }) => alg)).toEqual(expect.arrayContaining([-7, -8, -257]));
    expect(options).not.toHaveProperty("excludeCredentials");
    const key = new SoftwareAuthenticator({ origin });
    const finished = await api(cluster, "/passkeys/register/finish", {
      body: key.create(options),
      bearer: account.accessToken,
    });
    expect(finished.status, finished.text).toBe(200);
    expect(finished.body).toMatchObject({ transports: ["internal", "hybrid"], backup_eligible: false });
    const list = await api(cluster, "/passkeys", { bearer: account.accessToken });
    expect(list.body["passkeys"]).toHaveLength(1);
    const again = creation(await begin(account.accessToken));
    expect(again.excludeCredentials?.map(({ id }) => id)).toEqual([key.id.toString("base64url")]);
    expect(again.user.id).toBe(options.user.id);
  });

  test("lies, repetitions and other people's ceremonies are refused", async () => {
    const account = await registered(cluster);
    const attempt = async (lies: Parameters<SoftwareAuthenticator["create"]>[1]) => {
      const key = new SoftwareAuthenticator({ origin });
      const options = creation(await begin(account.accessToken));
      return outcome(
        await api(cluster, "/passkeys/register/finish", {
          body: key.create(options, lies),
          bearer: account.accessToken,
        }),
      );
    };
    for (const lies of [
      { origin: "https://evil.example" },
      { rpId: "evil.example" },
      { type: "webauthn.get" },
      { crossOrigin: true },
      { flags: 1 },
      { challenge: "AAAA" },
      { trailing: Buffer.from("x") },
    ])
      expect([lies, ...(await attempt(lies))]).toEqual([lies, 400, "invalid_request"]);
    const stranger = await registered(cluster);
    const options = creation(await begin(account.accessToken));
    const stolen = await api(cluster, "/passkeys/register/finish", {
      body: new SoftwareAuthenticator({ origin }).create(options),
      bearer: stranger.accessToken,
    });
    expect(outcome(stolen)).toEqual([400, "invalid_request"]);
    const list = await api(cluster, "/passkeys", { bearer: account.accessToken });
    expect(list.body["passkeys"]).toEqual([]);
  });

  test("64 parallel finishes of one ceremony: one passkey", async () => {
    const account = await registered(cluster);
    const body = new SoftwareAuthenticator({ origin }).create(creation(await begin(account.accessToken)));
    const replies = await Promise.all(
      Array.from({ length: 64 }, () =>
        api(cluster, "/passkeys/register/finish", { body, bearer: account.accessToken }),
      ),
    );
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test("a stale session must step up first", async () => {
    const account = await registered(cluster);
    const minted = await call(cluster, "MintAccessToken", {
      userID: JSON.parse(Buffer.from(account.accessToken.split(".")[1] ?? "", "base64url").toString()).sub,
      extra: {},
    });
    const token = /[\w-]+\.[\w-]+\.[\w-]+/.exec(minted.text)?.[0] ?? "";
    expect(outcome(await begin(token))).toEqual([403, "step_up_required"]);
    expect(outcome(await api(cluster, "/passkeys"))).toEqual([401, "missing_token"]);
  });
});

describe("login", () => {
  test.each([-7, -8, -257])(
    "with COSE algorithm %i: a session that has shown two factors",
    async (algorithm) => {
      const account = await withPasskey({ algorithm });
      const reply = await finish(account.key.get(await challenge()));
      expect(reply.status, reply.text).toBe(200);
      expect(claims(reply)["amr"]).toEqual(expect.arrayContaining(["swk", "mfa"]));
      const me = await api(cluster, "/me", { bearer: String(reply.body["access_token"]) });
      expect(me.body["email"]).toBe(account.email);
    },
  );

  test("begin says the same to everybody", async () => {
    const account = await withPasskey();
    const shapes = await Promise.all(
      [{}, { login: account.email }, { email: "nobody@example.com" }].map(async (body) => {
        const reply = await api(cluster, "/passkeys/login/begin", { body });
        return [reply.status, Object.keys(Object(reply.body["publicKey"])).sort()];
      }),
    );
    expect(new Set(shapes.map((shape) => JSON.stringify(shape))).size).toBe(1);
  });

  test("a ceremony is good once, fifty times at once or one after the other", async () => {
    const account = await withPasskey();
    const body = account.key.get(await challenge());
    const replies = await Promise.all(Array.from({ length: 50 }, () => finish(body)));
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(outcome(await finish(body))).toEqual([401, "invalid_credentials"]);
  });

  test("CVE: lies about origin, relying party, type, user and verification are refused", async () => {
    const account = await withPasskey();
    const other = await withPasskey();
    for (const lies of [
      { origin: "https://evil.example" },
      { rpId: "evil.example" },
      { type: "webauthn.create" },
      { flags: 1 },
      { challenge: Buffer.alloc(32).toString("base64url") },
      { userHandle: other.key.userHandle },
      { userHandle: "" },
    ])
      expect([lies, ...outcome(await finish(account.key.get(await challenge(), lies)))]).toEqual([
        lies,
        401,
        "invalid_credentials",
      ]);
    expect((await finish(account.key.get(await challenge()))).status).toBe(200);
  });

  test("a counter that stands still betrays a copy", async () => {
    const account = await withPasskey({ counting: true });
    expect((await finish(account.key.get(await challenge()))).status).toBe(200);
    const copied = account.key.get(await challenge(), { signCount: 1 });
    expect(outcome(await finish(copied))).toEqual([401, "invalid_credentials"]);
  });

  test("not for banned accounts, nor for nonsense", async () => {
    const account = await withPasskey();
    const found = await call(cluster, "GetUserByEmail", { email: account.email });
    await call(cluster, "BanUser", {
      userID: Reflect.get(Object(found.body["result"]), "ID"),
      reason: null,
      until: null,
      bannedBy: "",
    });
    expect(outcome(await finish(account.key.get(await challenge())))).toEqual([401, "invalid_credentials"]);
    expect(outcome(await finish("not json"))).toEqual([400, "invalid_request"]);
    expect((await finish({})).status).toBe(401);
  });
});

describe("management", () => {
  test("rename, remove; foreign and unknown ids are not found", async () => {
    const account = await withPasskey();
    const stranger = await withPasskey();
    const path = `/passkeys/${account.passkeyId}`;
    const renamed = await api(cluster, path, {
      method: "PATCH",
      body: { label: " Laptop " },
      bearer: account.accessToken,
    });
    expect(renamed.body).toEqual({ ok: true });
    const list = await api(cluster, "/passkeys", { bearer: account.accessToken });
    expect(JSON.stringify(list.body["passkeys"])).toContain('"label":"Laptop"');
    for (const bearer of [stranger.accessToken])
      expect(outcome(await api(cluster, path, { method: "DELETE", bearer }))).toEqual([404, "not_found"]);
    const malformed = await api(cluster, "/passkeys/none", { method: "DELETE", bearer: account.accessToken });
    expect(outcome(malformed)).toEqual([404, "not_found"]);
    const long = await api(cluster, path, {
      method: "PATCH",
      body: { label: "x".repeat(101) },
      bearer: account.accessToken,
    });
    expect(outcome(long)).toEqual([400, "invalid_request"]);
    const gone = await api(cluster, path, { method: "DELETE", bearer: account.accessToken });
    expect(gone.body).toEqual({ ok: true });
    expect(outcome(await finish(account.key.get(await challenge())))).toEqual([401, "invalid_credentials"]);
  });
});

/** A page of an application, which talks to the server through its own origin as behind a proxy. */
async function application(port: number): Promise<Server> {
  const server = createServer((incoming, response) => {
    if (incoming.url === "/") {
      response.setHeader("content-type", "text/html");
      response.end("<!doctype html><title>app</title>");
      return;
    }
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks);
      fetch(`${cluster.url}${incoming.url}`, {
        method: incoming.method ?? "GET",
        headers: {
          "content-type": "application/json",
          ...(incoming.headers.authorization === undefined
            ? {}
            : { authorization: incoming.headers.authorization }),
        },
        ...(body.length === 0 ? {} : { body: new Uint8Array(body) }),
      }).then(
        async (reply) => {
          response.statusCode = reply.status;
          response.setHeader("content-type", "application/json");
          response.end(await reply.text());
        },
        (error: unknown) => {
          response.statusCode = 502;
          response.end(String(error));
        },
      );
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

/** Runs in the page: one ceremony over `navigator.credentials`, by the JSON forms of WebAuthn Level 3. */
const ceremony = `async ({ begin, finish, bearer, kind }) => {
  const headers = { "content-type": "application/json", ...(bearer ? { authorization: "Bearer " + bearer } : {}) };
  const started = await (await fetch(begin, { method: "POST", headers, body: "{}" })).json();
  const credential = kind === "create"
    ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(started.publicKey) })
    : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(started.publicKey) });
  const reply = await fetch(finish, { method: "POST", headers, body: JSON.stringify(credential.toJSON()) });
  return { status: reply.status, body: await reply.text() };
}`;

test("in a real Chromium with a virtual authenticator", async () => {
  const account = await registered(cluster);
  const port = Number(new URL(origin).port) + 1;
  const server = await application(port);
  const browser = await startChromium();
  try {
    const page = await browser.newPage();
    const devtools = await page.context().newCDPSession(page);
    await devtools.send("WebAuthn.enable");
    await devtools.send("WebAuthn.addVirtualAuthenticator", {
      options: {
        protocol: "ctap2",
        transport: "internal",
        hasResidentKey: true,
        hasUserVerification: true,
        isUserVerified: true,
        automaticPresenceSimulation: true,
      },
    });
    await page.goto(`http://localhost:${port}/`);
    const run = (kind: "create" | "get", bearer: string): Promise<{ status: number; body: string }> => {
      const flow = kind === "create" ? "register" : "login";
      const urls = { begin: `/api/v1/passkeys/${flow}/begin`, finish: `/api/v1/passkeys/${flow}/finish` };
      return page.evaluate(`(${ceremony})(${JSON.stringify({ ...urls, bearer, kind })})`);
    };
    const made = await run("create", account.accessToken);
    expect(made.status, made.body).toBe(200);
    const signedIn = await run("get", "");
    expect(signedIn.status, signedIn.body).toBe(200);
    const bearer = String(JSON.parse(signedIn.body).access_token);
    expect((await api(cluster, "/me", { bearer })).body["email"]).toBe(account.email);
  } finally {
    await browser.close();
    server.closeAllConnections();
    server.close();
  }
});
