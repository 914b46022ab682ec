import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { accounts, type Bench, emailOf, type Line, post, type Scenario } from "../bench.ts";
import { schema, userIdOf } from "../schema.ts";
import { managementToken } from "../services.ts";
import { conversationsBeside } from "../turns.ts";
import { withBareServer } from "./light.ts";

const rounds = 2;
/** Of ten calls. */
const reads = 7;
const importedUsers = 100_000;
const movedHash = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";

const bearer = { authorization: `Bearer ${managementToken}` };

/** What a back end does all day, through the forwarder, against the same statements behind bare handlers. */
export const backEnd: Scenario = {
  name: "back-end",
  run: (bench) =>
    withBareServer(bench, async (bare) => {
      const { users } = bench.options;
      const lines: Line[] = [];
      for (let round = 0; round < rounds; round++) {
        const measured = await conversationsBeside(
          bench,
          bare,
          (index) =>
            mixed(
              users,
              index,
              (email) => post("/user", { email }),
              (id) => post("/write", { id }),
            ),
          (index) =>
            mixed(
              users,
              index,
              (email) => post("/v1/call/GetUserByEmail", { email }, bearer),
              (id) => post("/v1/call/SetEmailVerified", { id, v: true }, bearer),
            ),
        );
        lines.push({
          ...{ path: "management mix, 70 % reads", against: "bare handlers, same SQL" },
          ...{ ...measured, note: "a write adds its audit row" },
        });
      }
      return lines;
    }),
};

function mixed<T>(users: number, index: number, read: (email: string) => T, write: (id: string) => T) {
  const next = accounts(users, index * 104_729);
  let turn = index;
  return { next: () => (turn++ % 10 < reads ? read(emailOf(next())) : write(userIdOf(next()))) };
}

async function writeAccounts(file: string): Promise<void> {
  const stream = createWriteStream(file);
  for (let n = 0; n < importedUsers; n++) {
    const account = {
      username: `moved_${n}`,
      email: `moved${n}@example.com`,
      password_hash: movedHash,
      hash_algo: "bcrypt",
    };
    if (!stream.write(`${JSON.stringify(account)}\n`)) await once(stream, "drain");
  }
  stream.end();
  await once(stream, "finish");
}

/** As many accounts with a hash each, made by the database out of numbers: accounts a second. Nothing stays of them. */
async function bareInserts(databaseUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const started = performance.now();
    await client.query("BEGIN");
    await client.query(`
      INSERT INTO ${schema}.users (id, username, email)
      SELECT md5('bare' || n)::uuid, 'bare_' || n, 'bare' || n || '@example.com' FROM generate_series(1, ${importedUsers}) AS n`);
    await client.query(
      `INSERT INTO ${schema}.user_passwords (user_id, password_hash, hash_algo)
       SELECT md5('bare' || n)::uuid, $1, 'bcrypt' FROM generate_series(1, ${importedUsers}) AS n`,
      [movedHash],
    );
    await client.query("ROLLBACK");
    return importedUsers / ((performance.now() - started) / 1000);
  } finally {
    await client.end();
  }
}

/** The `import` command on a file of accounts with their hashes. */
export const importing: Scenario = {
  name: "import",
  async run(bench: Bench) {
    const directory = await mkdtemp(join(tmpdir(), "authkit-bench-import-"));
    try {
      const file = join(directory, "accounts.ndjson");
      await writeAccounts(file);
      const started = performance.now();
      const child = spawn(
        process.execPath,
        [join(import.meta.dirname, "../../src/cli/main.ts"), "import", file],
        {
          env: { ...process.env, ...bench.cluster.env },
          stdio: ["ignore", "ignore", "inherit"],
        },
      );
      const [code] = await once(child, "exit");
      if (code !== 0) throw new Error(`the import ended with ${code}`);
      const rate = importedUsers / ((performance.now() - started) / 1000);
      const bare = await bareInserts(bench.databaseUrl);
      return [
        {
          path: `import of accounts with hashes, ${rate.toFixed(0)}/s`,
          raw: bare,
          against: "the same rows by two bare statements",
          ratio: rate / bare,
          budget: "≥ 0.50",
          met: rate / bare >= 0.5,
          note: `${importedUsers} from NDJSON, start included`,
        },
      ];
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};
