import { AuthError } from "../../contract/errors/index.ts";
import type { StoredHash } from "../../platform/hashing/port.ts";
import { ConstraintViolation, lookup, type Queryable, sql } from "../../platform/postgres/port.ts";
import type { Identifier } from "../identifiers/index.ts";
import { identifiedBy } from "../users/store.ts";

const read = lookup(
  "passwords.read",
  (s) => `
  SELECT password_hash AS hash, hash_algo AS algorithm, hash_params AS params
  FROM ${s}.user_passwords WHERE user_id = $1`,
);

const ownedBy = (condition: string) => (s: string) =>
  `
  SELECT p.user_id AS "userId", p.password_hash AS hash, p.hash_algo AS algorithm, p.hash_params AS params
  FROM ${s}.users AS u JOIN ${s}.user_passwords AS p ON p.user_id = u.id WHERE ${condition}`;

const readByIdentifier = {
  email: lookup("passwords.readByEmail", ownedBy(identifiedBy.email)),
  phone: lookup("passwords.readByPhone", ownedBy(identifiedBy.phone)),
  username: lookup("passwords.readByUsername", ownedBy(identifiedBy.username)),
};

const probe = lookup(
  "passwords.exists",
  (s) => `SELECT 1 AS one FROM ${s}.user_passwords WHERE user_id = $1`,
);

const readVersion = lookup(
  "passwords.readVersion",
  (s) => `
  SELECT (extract(epoch FROM password_updated_at) * 1000000)::bigint::text AS version
  FROM ${s}.user_passwords WHERE user_id = $1`,
);

const upsert = sql(
  "passwords.upsert",
  (s) => `
  INSERT INTO ${s}.user_passwords AS p (user_id, password_hash, hash_algo, hash_params, password_updated_at)
  VALUES ($1, $2, $3, $4::text::jsonb, $5)
  ON CONFLICT (user_id) DO UPDATE SET password_hash = excluded.password_hash, hash_algo = excluded.hash_algo,
    hash_params = excluded.hash_params,
    password_updated_at = greatest(excluded.password_updated_at, p.password_updated_at + interval '1 microsecond')`,
);

const insertFirst = sql(
  "passwords.insertFirst",
  (s) => `
  INSERT INTO ${s}.user_passwords (user_id, password_hash, hash_algo, hash_params, password_updated_at)
  VALUES ($1, $2, 'argon2id', NULL, $3)
  ON CONFLICT (user_id) DO NOTHING`,
);

const replace = sql(
  "passwords.replace",
  (s) => `
  UPDATE ${s}.user_passwords
  SET password_hash = $2, hash_algo = 'argon2id', hash_params = NULL,
    password_updated_at = greatest($3, password_updated_at + interval '1 microsecond')
  WHERE user_id = $1 AND password_hash = $4 AND hash_algo = $5`,
);

const renew = sql(
  "passwords.renew",
  (s) => `
  UPDATE ${s}.user_passwords SET password_hash = $2, hash_algo = 'argon2id', hash_params = NULL
  WHERE user_id = $1 AND password_hash = $3 AND hash_algo = $4`,
);

/** A stored password and whose it is. */
export interface OwnedHash extends StoredHash {
  readonly userId: string;
}

/** A row whose `hash_params` are given as JSON text, as imported. */
export interface NewPassword {
  readonly hash: string;
  readonly algorithm: string;
  readonly params: string | null;
}

export const passwordStore = {
  read: (on: Queryable, userId: string): Promise<StoredHash | undefined> =>
    on.row<StoredHash>(read, [userId]),

  /** That of the account an identifier names. */
  of: (on: Queryable, { kind, value }: Identifier): Promise<OwnedHash | undefined> =>
    on.row<OwnedHash>(readByIdentifier[kind], [value]),

  async exists(on: Queryable, userId: string): Promise<boolean> {
    return (await on.row(probe, [userId])) !== undefined;
  },

  async version(on: Queryable, userId: string): Promise<string | undefined> {
    return (await on.row<{ version: string }>(readVersion, [userId]))?.version;
  },

  /** Whatever was there before. Throws `user_not_found`. */
  async put(on: Queryable, userId: string, password: NewPassword, at: Date): Promise<void> {
    await ofKnownUser(on.run(upsert, [userId, password.hash, password.algorithm, password.params, at]));
  },

  /**
   * Stores an Argon2id hash only where still stands what the caller has seen (`seen` undefined = no row). False when somebody
   * else was faster. Throws `user_not_found`.
   */
  async swap(
    on: Queryable,
    userId: string,
    seen: StoredHash | undefined,
    phc: string,
    at: Date,
  ): Promise<boolean> {
    const changed =
      seen === undefined
        ? on.run(insertFirst, [userId, phc, at])
        : on.run(replace, [userId, phc, at, seen.hash, seen.algorithm]);
    return (await ofKnownUser(changed)) === 1;
  },

  /** The same password in today's format, unless it was changed meanwhile. */
  async renew(on: Queryable, userId: string, seen: StoredHash, phc: string): Promise<boolean> {
    return (await on.run(renew, [userId, phc, seen.hash, seen.algorithm])) === 1;
  },
};

async function ofKnownUser<T>(change: Promise<T>): Promise<T> {
  try {
    return await change;
  } catch (error) {
    if (error instanceof ConstraintViolation && error.kind === "foreign_key") {
      throw new AuthError("user_not_found", { cause: error });
    }
    throw error;
  }
}
