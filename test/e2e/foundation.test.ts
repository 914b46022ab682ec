import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newPerson, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { call, request } from "../support/http.ts";
import { until } from "../support/outcome.ts";
import { workersOf } from "../support/processes.ts";

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster({
    env: {
      AUTHKIT_CONFIG: await unlimited(),
      AUTHKIT_KEYRING_SECRET: "11".repeat(32),
      AUTHKIT_HTTP_WORKERS: "3",
      AUTHKIT_REFRESH_ROTATION_GRACE: "1s",
    },
  });
});
afterAll(() => cluster.stop());

/** A resource server of another process. */
class ResourceServer {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;

  constructor(of: TestCluster) {
    this.#child = spawn(
      process.execPath,
      ["test/support/verify-elsewhere.ts", `${of.url}/.well-known/jwks.json`, of.url, "authkit"],
      { stdio: ["pipe", "pipe", "inherit"] },
    );
    if (this.#child.stdout === null) throw new Error("no pipe");
    this.#answers = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  async verify(token: string): Promise<string> {
    this.#child.stdin?.write(`${token}\n`);
    return String((await this.#answers.next()).value);
  }

  async end(): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.stdin?.end();
    await exit;
  }
}

function subject(token: string): string {
  const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  return typeof claims === "object" && claims !== null ? String(Reflect.get(claims, "sub")) : "";
}

function keyId(token: string): string {
  const header: unknown = JSON.parse(Buffer.from(token.split(".")[0] ?? "", "base64url").toString());
  return typeof header === "object" && header !== null ? String(Reflect.get(header, "kid")) : "";
}

/** A bearer request on a connection of its own, so that the kernel may give it to any worker. */
const meOnce = (token: string) =>
  request(`${cluster.api}/me`, { bearer: token, headers: { connection: "close" } });

describe("one account's way through the whole cluster", () => {
  test("register, sign in, /me, refresh, reuse, verification elsewhere, ban", async () => {
    const elsewhere = new ResourceServer(cluster);
    try {
      const person = newPerson();
      const registration = await request(`${cluster.api}/register`, {
        body: { identifier: person.email, username: person.username, password: person.password },
      });
      expect(registration.status).toBe(202);

      const login = await request(`${cluster.api}/password/login`, {
        body: { email: person.email, password: person.password },
      });
      expect(login.status).toBe(200);
      const access = String(login.body["access_token"]);
      const firstRefresh = String(login.body["refresh_token"]);

      const me = await meOnce(access);
      expect(me.status).toBe(200);
      expect(me.body["email"]).toBe(person.email);

      expect(await elsewhere.verify(access)).toBe(`ok ${subject(access)}`);
      expect(await elsewhere.verify(`${access.slice(0, -6)}AAAAAA`)).toMatch(/^failed/);

      const grant = (refreshToken: string) =>
        request(`${cluster.api}/token`, {
          body: { grant_type: "refresh_token", refresh_token: refreshToken },
        });
      const second = await grant(firstRefresh);
      expect(second.status).toBe(200);
      const successor = String(second.body["refresh_token"]);
      // Repeated at once it is a client whose answer was lost: the same successor again.
      expect((await grant(firstRefresh)).body["refresh_token"]).toBe(successor);
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      // Outside the grace window it is a replay: the whole family ends.
      const replay = await grant(firstRefresh);
      expect([replay.status, replay.code]).toEqual([401, "invalid_refresh_token"]);
      const family = await grant(successor);
      expect([family.status, family.code]).toEqual([401, "invalid_refresh_token"]);
      expect((await meOnce(String(second.body["access_token"]))).status).toBe(401);

      const again = await request(`${cluster.api}/password/login`, {
        body: { email: person.email, password: person.password },
      });
      const bearer = String(again.body["access_token"]);
      expect((await meOnce(bearer)).status).toBe(200);

      const ban = await call(cluster, "BanUser", {
        userID: subject(bearer),
        reason: "abuse",
        until: null,
        bannedBy: "",
      });
      expect([ban.status, ban.text]).toEqual([200, ban.text]);
      // Every worker, on the next request: enough connections of their own to meet each of the three.
      const answers = await Promise.all(Array.from({ length: 24 }, () => meOnce(bearer)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
      const barred = await request(`${cluster.api}/password/login`, {
        body: { email: person.email, password: person.password },
      });
      expect([barred.status, barred.code]).toEqual([401, "user_banned"]);
    } finally {
      await elsewhere.end();
    }
  });

  test("keys rotate while tokens are issued and verified, and no verification fails", async () => {
    const elsewhere = new ResourceServer(cluster);
    try {
      const account = await registered(cluster);
      let refreshToken = account.refreshToken;
      const kids = new Set<string>();
      const verdicts: string[] = [];
      let running = true;
      const load = (async () => {
        while (running) {
          const reply = await request(`${cluster.api}/token`, {
            body: { grant_type: "refresh_token", refresh_token: refreshToken },
          });
          if (reply.status !== 200) throw new Error(`refresh: ${reply.status} ${reply.text}`);
          refreshToken = String(reply.body["refresh_token"]);
          const access = String(reply.body["access_token"]);
          kids.add(keyId(access));
          verdicts.push(await elsewhere.verify(access));
          const me = await meOnce(access);
          if (me.status !== 200) verdicts.push(`failed here: ${me.status} ${me.text}`);
        }
      })();
      await until("first tokens", 10, () => verdicts.length > 5);
      const rotation = spawn(process.execPath, ["src/cli/main.ts", "keys", "rotate", "--now"], {
        env: cluster.env,
        stdio: ["ignore", "pipe", "pipe"],
      });
      const [code] = await once(rotation, "exit");
      expect(code).toBe(0);
      await until("a token under the next key", 60, () => kids.size > 1);
      const seen = verdicts.length;
      await until("more under the next key", 20, () => verdicts.length > seen + 5);
      running = false;
      await load;
      expect(verdicts.filter((verdict) => !verdict.startsWith("ok "))).toEqual([]);
    } finally {
      await elsewhere.end();
    }
  });

  test("SIGTERM drains: what was asked is answered, then everything ends with 0", async () => {
    const account = newPerson();
    const pending = Array.from({ length: 6 }, () =>
      request(`${cluster.api}/register`, {
        body: { identifier: newPerson().email, username: newPerson().username, password: account.password },
      }),
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    const workers = (["http", "management", "hashing", "jobs"] as const).flatMap((kind) =>
      workersOf(cluster.pid, kind),
    );
    cluster.process.kill("SIGTERM");
    const answers = await Promise.all(pending);
    expect(answers.map(({ status }) => status)).toEqual(pending.map(() => 202));
    expect(await cluster.exited).toBe(0);
    for (const pid of workers) expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });
});
