import { spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accounts, type Bench, emailOf, type Line, post, type Scenario } from "../bench.ts";
import { userIdOf } from "../schema.ts";
import { managementToken } from "../services.ts";
import { conversationsBeside } from "../turns.ts";
import { withBareServer } from "./light.ts";

const rounds = 2;
/** Of ten calls. */
const reads = 7;
const importedUsers = 100_000;

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
  const hash = "$2b$10$N9qo8uLOickgx2ZMRZoMyeIjZAgcfl7p92ldGxad68LJZdL17lhWy";
  for (let n = 0; n < importedUsers; n++) {
    const account = {
      username: `moved_${n}`,
      email: `moved${n}@example.com`,
      password_hash: hash,
      hash_algo: "bcrypt",
    };
    if (!stream.write(`${JSON.stringify(account)}\n`)) await once(stream, "drain");
  }
  stream.end();
  await once(stream, "finish");
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
      return [
        {
          ...{ path: "import of accounts with hashes", raw: rate, against: "users/s" },
          ...{
            budget: "≥ 10 000",
            met: rate >= 10_000,
            note: `${importedUsers} from NDJSON, start included`,
          },
        },
      ];
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  },
};
