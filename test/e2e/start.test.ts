import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, expect, inject, test } from "vitest";
import { project, startCluster } from "../support/cluster.ts";
import { call } from "../support/http.ts";
import { freePort } from "../support/ports.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { familyOf, isRunning } from "../support/processes.ts";

const managementToken = "test-management-token-0123456789abcdef";
/** The primary, two http workers, one of management and one of hashing. Jobs come last. */
const startingProcesses = 5;

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), "authkit-start-"));
});
afterEach(() => rmSync(state, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

interface Start {
  readonly child: ChildProcess;
  output(): string;
}

function start(env: Readonly<Record<string, string>>): Start {
  let text = "";
  const child = spawn(process.execPath, ["src/cli/main.ts", "serve"], {
    cwd: project,
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      AUTHKIT_ENV: "test",
      AUTHKIT_STATE_DIR: state,
      AUTHKIT_MGMT_TOKEN: managementToken,
      AUTHKIT_HTTP_WORKERS: "2",
      AUTHKIT_HASHING_WORKERS: "1",
      AUTHKIT_ARGON2: "m=1024,t=1,p=1",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
    });
  return { child, output: () => text };
}

/** Everything that runs under a primary, once it has forked what it forks at first. */
async function forked({ child, output }: Start): Promise<number[]> {
  for (let n = 0; n < 600; n++) {
    const family = familyOf(child.pid ?? 0);
    if (family.length >= startingProcesses) return family;
    await delay(50);
  }
  throw new Error(`the workers were not forked:\n${output()}`);
}

async function allGone(family: readonly number[]): Promise<boolean> {
  for (let n = 0; n < 200; n++) {
    if (!family.some(isRunning)) return true;
    await delay(50);
  }
  return false;
}

test("the port is open only when everything behind it answers", { timeout: 180_000 }, async () => {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const statuses: number[] = [];
  let started = false;
  const asking = (async () => {
    while (!started) {
      try {
        const answers = await Promise.all([
          call({ url, managementToken }, "AdminCountUsers"),
          fetch(`${url}/.well-known/jwks.json`),
          fetch(`${url}/api/v1/password/login`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ email: "nobody@example.com", password: "correct horse battery" }),
          }),
        ]);
        statuses.push(...answers.map(({ status }) => status));
      } catch {
        // Not listening yet.
      }
      await delay(5);
    }
  })();
  const cluster = await startCluster({ url, env: { AUTHKIT_LISTEN_ADDR: `127.0.0.1:${port}` } });
  try {
    await delay(500);
    started = true;
    await asking;
    expect(statuses.length).toBeGreaterThan(3);
    const [first, keys, login] = statuses;
    expect([first, keys, login]).toEqual([200, 200, 401]);
    expect([...new Set(statuses)].filter((status) => ![200, 401, 429].includes(status))).toEqual([]);
  } finally {
    started = true;
    await cluster.stop();
  }
});

test("a start that fails ends its workers, and says why in one line", { timeout: 120_000 }, async () => {
  const manifest = join(state, "manifest.json");
  writeFileSync(manifest, "{");
  const database = await createTestDatabase(inject("postgresUrl"));
  try {
    const starting = start({
      DB_URL: database.url,
      AUTHKIT_LISTEN_ADDR: `127.0.0.1:${await freePort()}`,
      AUTHKIT_BOOTSTRAP_PATH: manifest,
      AUTHKIT_MIGRATE_ON_START: "true",
    });
    const family = await forked(starting);
    const [code] = await once(starting.child, "exit");
    expect(code, starting.output()).toBe(1);
    const said = starting.output().split("\n");
    expect(said.filter((line) => line.startsWith("authkit-server serve: "))).toHaveLength(1);
    expect(said.filter((line) => line.includes('"level":"error"'))).toEqual([]);
    expect(await allGone(family)).toBe(true);
  } finally {
    await database.drop();
  }
});

test.each(["SIGKILL", "SIGTERM"] as const)(
  "workers that wait for the stores end with a primary that is ended by %s",
  { timeout: 120_000 },
  async (signal) => {
    const starting = start({
      DB_URL: `postgres://nobody:nothing@127.0.0.1:${await freePort()}/nothing`,
      AUTHKIT_LISTEN_ADDR: `127.0.0.1:${await freePort()}`,
    });
    const family = await forked(starting);
    starting.child.kill(signal);
    await once(starting.child, "exit");
    expect(await allGone(family), starting.output()).toBe(true);
  },
);
