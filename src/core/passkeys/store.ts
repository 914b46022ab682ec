import { lookup, type Queryable, sql } from "../../platform/postgres/port.ts";
import type { Passkey } from "./types.ts";
import type { NewCredential, VerifiedAssertion } from "./webauthn.ts";

const columns = `
  p.id, p.user_id AS "userId", p.label, p.transports, p.authenticator_attachment AS "authenticatorAttachment",
  p.backup_eligible AS "backupEligible", p.backup_state AS "backupState", p.created_at AS "createdAt",
  p.last_used_at AS "lastUsedAt"`;

// The update changes nothing; it makes the statement return the row that was there first.
const handle = sql(
  "passkeys.handle",
  (s) => `
  INSERT INTO ${s}.user_passkey_handles (user_id, rpid, user_handle, created_at) VALUES ($1, $2, $3, $4)
  ON CONFLICT (user_id) DO UPDATE SET user_id = excluded.user_id
  RETURNING user_handle AS "handle"`,
);

const credentials = sql(
  "passkeys.credentials",
  (s) => `
  SELECT p.credential_id AS "credentialId", p.transports FROM ${s}.user_passkeys AS p
  WHERE p.user_id = $1 AND p.rpid = $2 AND p.deleted_at IS NULL ORDER BY p.created_at, p.id`,
);

const list = sql(
  "passkeys.list",
  (s) => `
  SELECT ${columns} FROM ${s}.user_passkeys AS p
  WHERE p.user_id = $1 AND p.rpid = $2 AND p.deleted_at IS NULL ORDER BY p.created_at, p.id`,
);

// Held until the transaction ends, so that changes of one account's ways to sign in follow each other.
const lockOwner = sql(
  "passkeys.lockOwner",
  (s) => `SELECT u.id FROM ${s}.users AS u WHERE u.id = $1 AND u.deleted_at IS NULL FOR NO KEY UPDATE`,
);

const insert = sql(
  "passkeys.insert",
  (s) => `
  WITH p AS (
    INSERT INTO ${s}.user_passkeys (id, user_id, rpid, credential_id, public_key, sign_count, aaguid, transports,
      authenticator_attachment, backup_eligible, backup_state, user_present, user_verified, flags, attestation_type,
      attestation_fmt, created_at)
    SELECT $1::uuid, $2::uuid, $3::text, $4::bytea, $5::bytea, $6::bigint, $7::bytea, $8::text[], $9::text, $10::boolean,
      $11::boolean, true, true, $12::bytea, $13::text, $14::text, $15::timestamptz
    WHERE (SELECT count(*) FROM ${s}.user_passkeys WHERE user_id = $2 AND rpid = $3 AND deleted_at IS NULL) < $16
    RETURNING *
  )
  SELECT ${columns} FROM p`,
);

const forLogin = lookup(
  "passkeys.forLogin",
  (s) => `
  SELECT h.user_id AS "userId", p.id AS "passkeyId", p.public_key AS "publicKey", p.backup_eligible AS "backupEligible"
  FROM ${s}.user_passkey_handles AS h
  LEFT JOIN ${s}.user_passkeys AS p
    ON p.user_id = h.user_id AND p.rpid = $2 AND p.credential_id = $3 AND p.deleted_at IS NULL
  WHERE h.user_handle = $1`,
);

// Judged on the row that is written: of two assertions with one counter the second finds the counter of the first. One that does not
// follow leaves nothing behind but the warning.
const use = sql(
  "passkeys.use",
  (s) => `
  UPDATE ${s}.user_passkeys AS p SET
    clone_warning = p.clone_warning OR NOT f.follows,
    sign_count = CASE WHEN f.follows THEN $2::bigint ELSE p.sign_count END,
    backup_state = CASE WHEN f.follows THEN $3 ELSE p.backup_state END,
    flags = CASE WHEN f.follows THEN $4::bytea ELSE p.flags END,
    last_used_at = CASE WHEN f.follows THEN $5::timestamptz ELSE p.last_used_at END
  FROM (
    SELECT k.id, k.sign_count < $2::bigint OR (k.sign_count = 0 AND $2::bigint = 0) AS follows
    FROM ${s}.user_passkeys AS k WHERE k.id = $1 AND k.user_id = $6 AND k.deleted_at IS NULL FOR NO KEY UPDATE
  ) AS f
  WHERE p.id = f.id AND p.user_id = $6
  RETURNING f.follows`,
);

const rename = sql(
  "passkeys.rename",
  (s) => `
  UPDATE ${s}.user_passkeys SET label = $4
  WHERE id = $1 AND user_id = $2 AND rpid = $3 AND deleted_at IS NULL`,
);

const remove = sql(
  "passkeys.remove",
  (s) => `
  UPDATE ${s}.user_passkeys AS p SET deleted_at = $4
  WHERE p.id = $1 AND p.user_id = $2 AND p.rpid = $3 AND p.deleted_at IS NULL AND (
    EXISTS (SELECT FROM ${s}.users AS u WHERE u.id = $2 AND (u.email IS NOT NULL OR u.phone_number IS NOT NULL))
    OR EXISTS (SELECT FROM ${s}.user_passwords AS w WHERE w.user_id = $2 AND w.hash_algo <> 'legacy-reset-required')
    OR EXISTS (SELECT FROM ${s}.user_providers AS l WHERE l.user_id = $2)
    OR EXISTS (
      SELECT FROM ${s}.user_passkeys AS o
      WHERE o.user_id = $2 AND o.rpid = $3 AND o.deleted_at IS NULL AND o.id <> p.id
    )
  )`,
);

const exists = lookup(
  "passkeys.exists",
  (s) => `
  SELECT 1 AS one FROM ${s}.user_passkeys
  WHERE id = $1 AND user_id = $2 AND rpid = $3 AND deleted_at IS NULL`,
);

export interface LoginCandidate {
  readonly userId: string;
  /** Null when the account has no such credential; then so are the others. */
  readonly passkeyId: string | null;
  readonly publicKey: Buffer | null;
  readonly backupEligible: boolean | null;
}

/** A passkey by its id, and whose it has to be. */
export interface PasskeyRef {
  readonly id: string;
  readonly userId: string;
  readonly rpId: string;
}

export const passkeyStore = {
  /** The account's user handle; `fresh` becomes it when there is none. */
  async handle(on: Queryable, userId: string, rpId: string, fresh: Buffer, at: Date): Promise<Buffer> {
    const row = await on.row<{ readonly handle: Buffer }>(handle, [userId, rpId, fresh, at]);
    if (row === undefined) throw new Error("the insert returned no handle");
    return row.handle;
  },
  credentials: (on: Queryable, userId: string, rpId: string) =>
    on.rows<{ readonly credentialId: Buffer; readonly transports: readonly string[] }>(credentials, [
      userId,
      rpId,
    ]),
  list: (on: Queryable, userId: string, rpId: string) => on.rows<Passkey>(list, [userId, rpId]),
  /** False for a deleted account. */
  async lockOwner(on: Queryable, userId: string): Promise<boolean> {
    return (await on.row(lockOwner, [userId])) !== undefined;
  },

  /** Undefined when the account has `max` already. */
  insert(
    on: Queryable,
    ref: PasskeyRef,
    credential: NewCredential & { readonly transports: readonly string[]; readonly attachment: string },
    at: Date,
    max: number,
  ): Promise<Passkey | undefined> {
    const { credentialId, publicKey, signCount, aaguid, transports, attachment } = credential;
    return on.row<Passkey>(insert, [
      ...[ref.id, ref.userId, ref.rpId, credentialId, publicKey, signCount, aaguid, transports, attachment],
      ...[credential.backupEligible, credential.backupState, Buffer.of(credential.flags)],
      ...[credential.attestationType, credential.attestationFormat, at, max],
    ]);
  },

  /** Undefined when nobody has the handle. */
  forLogin: (on: Queryable, userHandle: Buffer, rpId: string, credentialId: Buffer) =>
    on.row<LoginCandidate>(forLogin, [userHandle, rpId, credentialId]),

  /** `cloned`: the counter does not follow the stored one. `gone`: deleted meanwhile. */
  async use(
    on: Queryable,
    { id, userId }: Pick<PasskeyRef, "id" | "userId">,
    { signCount, backupState, flags }: VerifiedAssertion,
    at: Date,
  ): Promise<"used" | "cloned" | "gone"> {
    const values = [id, signCount, backupState, Buffer.of(flags), at, userId];
    const row = await on.row<{ readonly follows: boolean }>(use, values);
    return row === undefined ? "gone" : row.follows ? "used" : "cloned";
  },

  /** False when there is no such passkey. */
  async rename(on: Queryable, { id, userId, rpId }: PasskeyRef, label: string | null): Promise<boolean> {
    return (await on.run(rename, [id, userId, rpId, label])) === 1;
  },
  /** False when there is no such passkey, or it is the only way into the account. */
  async remove(on: Queryable, { id, userId, rpId }: PasskeyRef, at: Date): Promise<boolean> {
    return (await on.run(remove, [id, userId, rpId, at])) === 1;
  },
  async exists(on: Queryable, { id, userId, rpId }: PasskeyRef): Promise<boolean> {
    return (await on.row(exists, [id, userId, rpId])) !== undefined;
  },
};
