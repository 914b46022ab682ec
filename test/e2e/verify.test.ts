import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createRemoteClient } from "../../src/client/index.ts";
import { createVerifier, isAuthError, nodeAuth } from "../../src/verify/index.ts";
import { api, behindProxy, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call, request } from "../support/http.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({ env: { ...behindProxy, AUTHKIT_KEYRING_SECRET: "11".repeat(32) } });
});
afterAll(() => cluster?.stop());

let tokenAudience = "authkit";

/** A resource server in another process; verdicts come in the order of the questions. */
class ResourceServer {
  readonly #process: ChildProcess;
  readonly #waiting: ((line: string) => void)[] = [];

  constructor() {
    this.#process = spawn(process.execPath, ["test/support/resource-server.ts", cluster.url, tokenAudience], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    const { stdout } = this.#process;
    if (stdout === null) throw new Error("no output");
    createInterface({ input: stdout }).on("line", (line) => this.#waiting.shift()?.(line));
  }

  verify(token: string): Promise<string> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#process.stdin?.write(`${token}\n`);
    });
  }

  async end(): Promise<void> {
    this.#process.stdin?.end();
    if (this.#process.exitCode === null) await once(this.#process, "exit");
  }
}

const payload = (token: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
const kid = (token: string): unknown =>
  Reflect.get(JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString()), "kid");

async function refusal(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "accepted";
  } catch (error) {
    return isAuthError(error) ? error.code : String(error);
  }
}

test("another process verifies what a login mints, before, during and after a rotation of the keys", async () => {
  const account = await registered(cluster);
  const login = await api(cluster, "/password/login", {
    body: { email: account.email, password: account.password },
  });
  const first = String(login.body["access_token"]);
  const { aud, sub } = payload(first);
  tokenAudience = String(Array.isArray(aud) ? aud[0] : aud);
  const elsewhere = new ResourceServer();
  try {
    expect(await elsewhere.verify(first)).toBe(`ok user ${sub}`);
    let refreshToken = String(login.body["refresh_token"]);
    const kids = new Set([kid(first)]);
    const verdicts: string[] = [];
    const rotation = spawn(process.execPath, ["src/cli/main.ts", "keys", "rotate", "--now"], {
      env: cluster.env,
      stdio: "ignore",
    });
    const rotated = once(rotation, "exit");
    const deadline = Date.now() + 60_000;
    let after = 0;
    while (after < 5 && Date.now() < deadline) {
      const reply = await request(`${cluster.api}/token`, {
        body: { grant_type: "refresh_token", refresh_token: refreshToken },
        headers: { "x-forwarded-for": `9.8.${verdicts.length >> 8}.${verdicts.length & 255}` },
      });
      refreshToken = String(reply.body["refresh_token"]);
      const token = String(reply.body["access_token"]);
      kids.add(kid(token));
      verdicts.push(await elsewhere.verify(token));
      if (kids.size > 1) after++;
    }
    expect((await rotated)[0]).toBe(0);
    expect(kids.size).toBe(2);
    expect(new Set(verdicts)).toEqual(new Set([`ok user ${sub}`]));
    expect(await elsewhere.verify(first)).toBe(`ok user ${sub}`);
    expect(await elsewhere.verify(`${first.slice(0, -4)}AAAA`)).toBe("failed invalid_token");
  } finally {
    await elsewhere.end();
  }
});

test("every kind of token management mints is what it says, and nothing else", async () => {
  const verifier = createVerifier({ issuers: [{ issuer: cluster.url, audiences: [tokenAudience] }] });
  const minted = async (method: string, args: Record<string, unknown>): Promise<string> => {
    const reply = await call(cluster, method, args);
    const token = /[\w-]{10,}\.[\w-]{10,}\.[\w-]{10,}/.exec(reply.text)?.[0];
    if (token === undefined) throw new Error(`${method}: ${reply.text}`);
    return token;
  };
  const service = await minted("MintServiceJWT", {
    opts: { Subject: "reporter", Audiences: [tokenAudience], Permissions: ["a:b"] },
  });
  expect(await verifier.verifyServiceJwt(service)).toMatchObject({
    kind: "service",
    subject: "reporter",
    permissions: ["a:b"],
  });
  expect(await refusal(verifier.verify(service))).toBe("access_token_wrong_typ");
  const delegated = await minted("MintDelegatedAccessToken", {
    p: { DelegatedSubject: "tenant-user", Audiences: [tokenAudience], Permissions: ["a:b"] },
  });
  expect(await verifier.verifyDelegatedAccess(delegated)).toMatchObject({
    kind: "delegated",
    subject: "tenant-user",
    permissions: ["a:b"],
  });
  const custom = await minted("MintCustomJWT", {
    opts: {
      Claims: { job: 7 },
      TTL: 60_000_000_000,
      Type: "capability+jwt",
      Audiences: [tokenAudience],
      Subject: "j",
    },
  });
  expect(await verifier.verifyClaims(custom)).toMatchObject({ job: 7, sub: "j" });
  expect(await refusal(verifier.verify(custom))).toBe("access_token_wrong_typ");
});

test("a resource server admits people by their token, and refuses unknown API keys by asking the server", async () => {
  const account = await registered(cluster);
  const client = createRemoteClient(cluster.url, cluster.managementToken);
  const auth = nodeAuth(
    createVerifier({ issuers: [{ issuer: cluster.url, audiences: [tokenAudience] }], lookup: client }),
  );
  const listener = auth.required((_request, response, principal) => void response.end(principal.kind));
  const server = createServer((incoming, response) => void listener(incoming, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
  try {
    expect((await request(url, { bearer: account.accessToken })).text).toBe("user");
    expect((await request(url)).code).toBe("missing_token");
    expect((await request(url, { bearer: "st_0123456789abcdef_unknown" })).code).toBe("invalid_token");
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
