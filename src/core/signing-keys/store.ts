import { type Queryable, sql, type Transaction } from "../../platform/postgres/port.ts";
import type { SigningAlgorithm } from "./types.ts";

export type KeyState = "next" | "active" | "retired";

/** One row of the managed keyring. */
export interface StoredKey {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly publicPem: string;
  /** Empty once retired: a key that signs no more needs no private part. */
  readonly privateSealed: Buffer;
  readonly state: KeyState;
  readonly createdAt: Date;
  readonly activatedAt: Date | null;
  /** When the key stops (or stopped) signing. */
  readonly retireAt: Date | null;
  /** When the last token it signed has expired. */
  readonly expiresAt: Date | null;
}

const lock = sql(
  "signingKeys.lock",
  () => "SELECT pg_advisory_xact_lock(hashtextextended('authkit.signing-keys.' || $1::text, 0))",
);

const list = sql(
  "signingKeys.list",
  (s) => `SELECT kid, algorithm, public_pem AS "publicPem", private_sealed AS "privateSealed", state,
    created_at AS "createdAt", activated_at AS "activatedAt", retire_at AS "retireAt", expires_at AS "expiresAt"
    FROM ${s}.signing_keys ORDER BY created_at, kid`,
);

const insert = sql(
  "signingKeys.insert",
  (s) => `INSERT INTO ${s}.signing_keys
    (kid, algorithm, public_pem, private_sealed, state, created_at, activated_at, retire_at, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL)`,
);

const activate = sql(
  "signingKeys.activate",
  (s) => `UPDATE ${s}.signing_keys SET state = 'active', activated_at = $2, retire_at = $3 WHERE kid = $1`,
);

const retire = sql(
  "signingKeys.retire",
  (
    s,
  ) => `UPDATE ${s}.signing_keys SET state = 'retired', retire_at = $2, expires_at = $3, private_sealed = ''::bytea
    WHERE kid = $1`,
);

const reseal = sql(
  "signingKeys.reseal",
  (s) => `UPDATE ${s}.signing_keys SET private_sealed = $2 WHERE kid = $1`,
);

const drop = sql("signingKeys.drop", (s) => `DELETE FROM ${s}.signing_keys WHERE kid = ANY($1::text[])`);

/** Held until the transaction ends: one rotation at a time in the whole deployment. */
export async function lockKeyring(tx: Transaction, schema: string): Promise<void> {
  await tx.row(lock, [schema]);
}

/** Every key, oldest first. */
export function listKeys(on: Queryable): Promise<StoredKey[]> {
  return on.rows<StoredKey>(list);
}

export async function insertKey(tx: Transaction, key: StoredKey): Promise<void> {
  await tx.run(insert, [
    key.kid,
    key.algorithm,
    key.publicPem,
    key.privateSealed,
    key.state,
    key.createdAt,
    key.activatedAt,
    key.retireAt,
  ]);
}

export async function activateKey(
  tx: Transaction,
  kid: string,
  at: Date,
  retireAt: Date | null,
): Promise<void> {
  await tx.run(activate, [kid, at, retireAt]);
}

export async function retireKey(tx: Transaction, kid: string, at: Date, expiresAt: Date): Promise<void> {
  await tx.run(retire, [kid, at, expiresAt]);
}

export async function replaceSealed(tx: Transaction, kid: string, sealed: Buffer): Promise<void> {
  await tx.run(reseal, [kid, sealed]);
}

export async function dropKeys(tx: Transaction, kids: readonly string[]): Promise<void> {
  await tx.run(drop, [kids]);
}
