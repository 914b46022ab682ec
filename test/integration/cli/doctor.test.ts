import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, inject, test } from "vitest";
import { doctorCommand } from "../../../src/cli/commands/doctor.ts";
import { openTestServer, type TestServer } from "../../support/embedded.ts";
import { createTestDatabase } from "../../support/postgres.ts";

let server: TestServer;
let state: string;
beforeAll(async () => {
  server = await openTestServer();
  state = await mkdtemp(join(tmpdir(), "authkit-doctor-"));
});
afterAll(async () => {
  await server?.close();
  await rm(state, { recursive: true, force: true });
});

async function examine(env: Readonly<Record<string, string>>): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  const code = await doctorCommand(
    [],
    { AUTHKIT_ENV: "test", AUTHKIT_STATE_DIR: state, AUTHKIT_ARGON2: "m=19456,t=2,p=1", ...env },
    (line) => lines.push(line),
  );
  return { code, lines };
}

test("a deployment that is well", async () => {
  const { code, lines } = await examine({
    DB_URL: server.databaseUrl,
    AUTHKIT_REDIS_URL: inject("redisUrl"),
  });
  expect(lines.filter((line) => line.startsWith("PROBLEM"))).toEqual([]);
  expect(code).toBe(0);
  for (const part of [
    "PostgreSQL 18",
    "migrations: all applied",
    "Redis ",
    "signing keys: ES256",
    "hashing: ",
  ])
    expect(lines.join("\n")).toContain(part);
});

test("everything that is wrong is named, each with what to do", async () => {
  const empty = await createTestDatabase(inject("postgresUrl"));
  try {
    const { code, lines } = await examine({ DB_URL: empty.url, AUTHKIT_REDIS_URL: "redis://127.0.0.1:1" });
    expect(code).toBe(1);
    const problems = lines.filter((line) => line.startsWith("PROBLEM"));
    expect(problems.map((line) => line.split(/\s+/)[1])).toEqual(["migrations:", "Redis:"]);
    for (const [place, line] of lines.entries())
      if (line.startsWith("PROBLEM")) expect(lines[place + 1]).toMatch(/→ \S/);
  } finally {
    await empty.drop();
  }
});

test("an unreachable database, a configuration that cannot be used", async () => {
  const unreachable = await examine({ DB_URL: "postgres://nobody@127.0.0.1:1/none" });
  expect(unreachable.code).toBe(1);
  expect(unreachable.lines.join("\n")).toContain("check host, port, credentials and database of DB_URL");
  const wrong = await examine({ AUTHKIT_HTTP_WORKERS: "many" });
  expect(wrong.code).toBe(1);
  expect(wrong.lines.join("\n")).toMatch(/PROBLEM {2}configuration: AUTHKIT_HTTP_WORKERS/);
});
