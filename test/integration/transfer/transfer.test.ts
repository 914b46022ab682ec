import { type ChildProcess, spawn } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTestServer, type TestServer } from "../../support/embedded.ts";

let server: TestServer;
beforeAll(async () => {
  server = await openTestServer();
});
afterAll(() => server?.close());

const root = join(import.meta.dirname, "../../..");
const bcrypt = "$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW";

function command(args: readonly string[], databaseUrl = server.databaseUrl): ChildProcess {
  return spawn(process.execPath, ["src/cli/main.ts", ...args], {
    cwd: root,
    env: {
      PATH: process.env["PATH"],
      DB_URL: databaseUrl,
      AUTHKIT_ENV: "test",
      AUTHKIT_STATE_DIR: server.stateDirectory,
      AUTHKIT_ARGON2: "m=1024,t=1,p=1",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
}

async function run(args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
  const child = command(args);
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    out += String(chunk);
  });
  child.stderr?.on("data", (chunk: Buffer) => {
    err += String(chunk);
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, out, err };
}

async function countUsers(prefix: string): Promise<number> {
  const [row] = await server.query("SELECT count(*)::int AS n FROM S.users WHERE username LIKE $1", [
    `${prefix}%`,
  ]);
  return Number(row?.["n"]);
}

test("an import killed again and again loses nothing and doubles nothing", async () => {
  const path = join(server.stateDirectory, "many.ndjson");
  const lines = Array.from({ length: 6_000 }, (_, n) =>
    n % 1000 === 7
      ? "{broken"
      : JSON.stringify({ username: `many_${n}`, password_hash: bcrypt, hash_algo: "bcrypt" }),
  );
  await writeFile(path, `${lines.join("\n")}\n`);
  const args = ["import", "--batch", "100", path];
  for (const share of [0.1, 0.5]) {
    const child = command(args);
    const ended = new Promise((resolve) => child.once("close", resolve));
    await expect
      .poll(() => countUsers("many_"), { timeout: 20_000, interval: 5 })
      .toBeGreaterThan(share * 6_000);
    child.kill("SIGKILL");
    await ended;
  }
  expect(await countUsers("many_")).toBeLessThan(5_994);
  const { code, out } = await run(args);
  expect({ code, out: out.split("\n")[0] }).toEqual({ code: 3, out: "5994 inserted, 0 skipped, 6 rejected" });
  expect(await countUsers("many_")).toBe(5_994);
  const [passwords] = await server.query(
    "SELECT count(*)::int AS n FROM S.users u JOIN S.user_passwords p ON p.user_id = u.id WHERE u.username LIKE 'many_%'",
  );
  expect(passwords?.["n"]).toBe(5_994);
  const refused = (await readFile(`${path}.refused.ndjson`, "utf8")).trim().split("\n");
  expect(refused.map((line) => JSON.parse(line).record)).toEqual([8, 1008, 2008, 3008, 4008, 5008]);
  expect((await run(args)).out).toContain("5994 inserted");
  expect((await run([...args, "--restart"])).out).toContain("0 inserted, 5994 skipped, 6 rejected");
}, 90_000);

test("what is exported can be imported, from NDJSON and from CSV", async () => {
  await server.client().importUsers({
    inputs: [
      {
        username: "quoted_one",
        email: "q@example.com",
        emailVerified: true,
        metadata: { note: 'line\nbreak, "quote"', large: 1.5 },
        bannedAt: new Date("2026-01-02T03:04:05Z"),
        banReason: "a, b",
        passwordHash: bcrypt,
        hashAlgo: "bcrypt",
      },
    ],
  });
  const select = `SELECT username::text, email::text, email_verified, metadata, banned_at, ban_reason, created_at, password_hash, hash_algo
    FROM S.users u JOIN S.user_passwords p ON p.user_id = u.id WHERE username = 'quoted_one'`;
  const before = await server.query(select);
  expect(before).toHaveLength(1);
  for (const name of ["all.csv", "all.ndjson"]) {
    const path = join(server.stateDirectory, name);
    expect((await run(["export", path])).code).toBe(0);
    const { id } = await server.client().getUserByUsername({ username: "quoted_one" });
    await server.client().hardDeleteUser({ userId: id });
    const { code, out, err } = await run(["import", path]);
    expect({ code, out: out.split(",")[0], err }).toMatchObject({ code: 3, out: "1 inserted" });
    expect(await server.query(select)).toEqual(before);
  }
}, 90_000);

test("a CSV with a column nobody knows is refused as a whole", async () => {
  const path = join(server.stateDirectory, "bad.csv");
  await writeFile(path, "username,emial\nsomebody,x\n");
  const { code, err } = await run(["import", path]);
  expect(code).toBe(1);
  expect(err).toContain('unknown column "emial"');
  expect((await run(["import"])).code).toBe(2);
}, 60_000);
