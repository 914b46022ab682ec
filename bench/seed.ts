import { createHash } from "node:crypto";
import { hash } from "@node-rs/argon2";
import pg from "pg";
import { emailOf, password, refreshTokenOf, schema } from "./schema.ts";

/** Rows of one statement: large enough to be quick, small enough to report progress. */
const batch = 100_000;

export interface Seed {
  readonly databaseUrl: string;
  readonly issuer: string;
  /** Accounts numbered from `from` (inclusive) to `to` (exclusive). */
  readonly from: number;
  readonly to: number;
  /** Value of `AUTHKIT_ARGON2` that the stored hashes have. */
  readonly argon2: string;
}

function parsed(parameters: string): { memoryCost: number; timeCost: number; parallelism: number } {
  const values = Object.fromEntries(parameters.split(",").map((part) => part.split("=")));
  return { memoryCost: Number(values["m"]), timeCost: Number(values["t"]), parallelism: Number(values["p"]) };
}

/** UUIDs that grow with the account's number, as the server's do with time. */
const uuid = (kind: string, n: string): string =>
  `(lpad(to_hex(1790000000000 + ${n}), 12, '0') || '7${kind}' || '8000' || lpad(to_hex(${n}), 12, '0'))::uuid`;

/**
 * Fills a migrated database with accounts, one shared password hash and one live session each. Set-based inside the server: nothing
 * but the numbers crosses the wire, so a million accounts take about a minute.
 */
export async function seed(plan: Seed): Promise<void> {
  const stored = await hash(password, parsed(plan.argon2));
  const client = new pg.Client({ connectionString: plan.databaseUrl });
  await client.connect();
  try {
    await client.query("SET synchronous_commit = off");
    for (let from = plan.from; from < plan.to; from += batch) {
      const range = `generate_series(${from}, ${Math.min(from + batch, plan.to) - 1}) AS n`;
      await client.query(`
        INSERT INTO ${schema}.users (id, email, username, email_verified, created_at, updated_at)
        SELECT ${uuid("000", "n")}, 'user' || n || '@example.com', 'user_' || n, true, now() - n * interval '1 second', now()
        FROM ${range}`);
      await client.query(
        `INSERT INTO ${schema}.user_passwords (user_id, password_hash) SELECT ${uuid("000", "n")}, $1 FROM ${range}`,
        [stored],
      );
      await client.query(
        `INSERT INTO ${schema}.refresh_sessions (id, user_id, issuer, family_id, current_token_hash, last_authenticated_at,
           expires_at, ip_addr)
         SELECT ${uuid("001", "n")}, ${uuid("000", "n")}, $1, ${uuid("001", "n")},
           sha256(convert_to('bench' || lpad(n::text, 38, '0'), 'UTF8')), now(), now() + interval '30 days', '127.0.0.1'
         FROM ${range}`,
        [plan.issuer],
      );
      if (plan.to - plan.from > batch)
        process.stderr.write(`  ${Math.min(from + batch, plan.to)} accounts\r`);
    }
    await client.query(
      `VACUUM ANALYZE ${schema}.users, ${schema}.user_passwords, ${schema}.refresh_sessions`,
    );
    await client.query("CHECKPOINT");
    await verify(client, plan);
  } finally {
    await client.end();
  }
}

/** That what JavaScript computes of account and token is what the statements stored. */
async function verify(client: pg.Client, plan: Seed): Promise<void> {
  const digest = createHash("sha256").update(refreshTokenOf(plan.from)).digest();
  const { rowCount } = await client.query(
    `SELECT FROM ${schema}.users AS u JOIN ${schema}.refresh_sessions AS t ON t.user_id = u.id
     WHERE u.email = $1 AND t.current_token_hash = $2`,
    [emailOf(plan.from), digest],
  );
  if (rowCount !== 1) throw new Error("the seeded rows are not what the scenarios ask for");
}
