import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { resetRequired, validateStored } from "../../platform/hashing/formats/index.ts";
import type { StoredHash } from "../../platform/hashing/port.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import type { Audit } from "../audit/types.ts";
import { isUuid, parseUserId } from "../identifiers/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { RevocationReason, Sessions } from "../sessions/types.ts";
import { type NewPassword, passwordStore } from "./store.ts";
import type { ChangeProof, PasswordChanges, Passwords } from "./types.ts";

/** A login renewing the format at the same moment makes one attempt fail; nothing makes three fail but other changes. */
const maxAttempts = 3;

export interface PasswordChangeParts {
  readonly passwords: Passwords;
  readonly sessions: Pick<Sessions, "revokeAll">;
  readonly audit: Audit;
}

type Action = "password.changed" | "password.reset" | "password.set_by_operator";

/** See {@link PasswordChanges}. */
export function createPasswordChanges(
  platform: Pick<Platform, "database" | "hasher" | "clock" | "log">,
  parts: PasswordChangeParts,
): PasswordChanges {
  const { database, hasher, clock, log } = platform;
  const { passwords, sessions, audit } = parts;

  async function replaced(
    tx: Transaction,
    userId: string,
    action: Action,
    keep: string | undefined,
    context: CallContext,
  ): Promise<void> {
    const reason: RevocationReason =
      action === "password.set_by_operator" ? "admin_set_password" : "password_change";
    await sessions.revokeAll(userId, reason, context, keep === undefined ? { tx } : { keep, tx });
    await audit.session(
      { event: "password_changed", userId, sessionId: keep ?? "", reason: undefined },
      context,
      tx,
    );
    await audit.record({ action, target: `user:${userId}`, outcome: "ok" }, context, tx);
  }

  async function overwrite(
    userId: string,
    next: string,
    action: Action,
    context: CallContext,
  ): Promise<void> {
    const id = parseUserId(userId);
    const phc = await passwords.hash(next, context);
    await database.transaction(async (tx) => {
      await passwords.store(id, phc, tx);
      await replaced(tx, id, action, undefined, context);
    });
  }

  /** Throws unless `proof` holds for what is stored. */
  async function assertProof(stored: StoredHash, proof: ChangeProof, context: CallContext): Promise<void> {
    if (proof.kind === "fresh") return;
    if (stored.algorithm === resetRequired) throw new AuthError("password_reset_required");
    const { match } = await hasher.verify(stored, proof.password, context.signal);
    if (!match) throw new AuthError("invalid_credentials");
  }

  return {
    async change(userId, proof, next, keepSessionId, context) {
      if (userId.trim() === "") throw new AuthError("invalid_user");
      passwords.assertAcceptable(next);
      const keep = keepSessionId === null || keepSessionId === "" ? undefined : keepSessionId;
      if (keep !== undefined && !isUuid(keep)) throw new AuthError("invalid_request");
      const id = parseUserId(userId);

      for (let attempt = 1; attempt <= maxAttempts; attempt++) {
        const stored = await passwordStore.read(database, id);
        if (stored !== undefined) await assertProof(stored, proof, context);
        const phc = await passwords.hash(next, context);
        const done = await database.transaction(async (tx) => {
          // Only over the very password the proof was checked against: of two changes at once, the second must know the first's.
          if (!(await passwordStore.swap(tx, id, stored, phc, clock.now()))) return false;
          await replaced(tx, id, "password.changed", keep, context);
          return true;
        });
        if (done) return;
      }
      throw new AuthError("server_busy", { retryAfter: 1 });
    },

    async reset(userId, next, context) {
      passwords.assertAcceptable(next);
      await overwrite(userId, next, "password.reset", context);
    },

    async setByOperator(userId, next, context) {
      if (userId.trim() === "") throw new AuthError("invalid_user");
      passwords.assertAcceptable(next);
      await overwrite(userId, next, "password.set_by_operator", context);
    },

    async setDeclared(userId, next, context, tx) {
      const phc = await passwords.hash(next, context);
      await passwords.store(userId, phc, tx);
      await replaced(tx, userId, "password.set_by_operator", undefined, context);
    },

    async importHash(userId, hash, algorithm, params, context, tx) {
      if (userId.trim() === "") throw new AuthError("invalid_user");
      const password = importable(hash, algorithm, params);
      const id = parseUserId(userId);
      const write = async (on: Transaction): Promise<void> => {
        await passwordStore.put(on, id, password, clock.now());
        const details = { algorithm };
        await audit.record(
          { action: "password.imported", target: `user:${id}`, outcome: "ok", details },
          context,
          on,
        );
      };
      await (tx === undefined ? database.transaction(write) : write(tx));
    },

    async matches(userId, password, context) {
      if (!isUuid(userId)) return false;
      try {
        return (await passwords.verify(userId, password, context)) === "match";
      } catch (error) {
        // Overload says nothing about the password; "false" would send a user with the right one away.
        if (isAuthError(error, "server_busy") || isAuthError(error, "service_unavailable")) throw error;
        log.error({ err: error, user_id: userId }, "a password could not be verified");
        return false;
      }
    },

    version: async (userId) => (await passwordStore.version(database, userId)) ?? "none",
  };
}

/**
 * A hash that could verify, as the row to store. A malformed one of a known kind is stored all the same, as the contract has it: it never
 * matches. Throws `unsupported_hash_algo`, `invalid_hash_params`, `invalid_request` (a NUL, which no text column takes).
 */
function importable(hash: string, algorithm: string, params: Uint8Array | null): NewPassword {
  const text = params === null ? null : decodeJson(params);
  if (hash.includes("\0")) throw new AuthError("invalid_request");
  const problem = validateStored(hash, algorithm, text === null ? null : JSON.parse(text));
  if (problem === "unsupported_hash_algo" || problem === "invalid_hash_params") throw new AuthError(problem);
  return { hash, algorithm, params: text };
}

/** JSON text that PostgreSQL will take as `jsonb`. Throws `invalid_hash_params`. */
function decodeJson(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    const value: unknown = JSON.parse(text);
    // Written anew: NUL and lone surrogates are legal JSON escapes, but not legal in a text column.
    const canonical = JSON.stringify(value);
    if (/\\u0000|\\ud[89a-f]/i.test(canonical)) throw new SyntaxError("not representable");
    return canonical;
  } catch (cause) {
    throw new AuthError("invalid_hash_params", { cause });
  }
}
