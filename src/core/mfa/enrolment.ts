import { AuthError } from "../../contract/errors/index.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import type { Audit } from "../audit/index.ts";
import { isUuid } from "../identifiers/index.ts";
import type { Notices } from "../notices/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import { rolesDemandingMfa } from "../sessions/index.ts";
import { hashBackupCode, newBackupCodes } from "./backup-codes.ts";
import { factorStore, type NewFactor, type RemovedRole } from "./factor-store.ts";
import { mfaStateStore } from "./state-store.ts";

/** Changes of an account's second factors, each one transaction that holds the account's row. */
export interface Enrolment {
  /**
   * Stores the factor, replacing the one of the same method. Returns the backup codes when a new set was made: at the first enrolment, and when all
   * earlier ones had been used. `onlyFirst` refuses with `forbidden` once there is a factor.
   */
  add(
    userId: string,
    factor: NewFactor,
    options: { readonly makeDefault: boolean; readonly onlyFirst: boolean },
    context: CallContext,
  ): Promise<readonly string[] | undefined>;
  /** Throws `not_found` for an unknown factor. */
  setDefault(userId: string, factorId: string, context: CallContext): Promise<void>;
  /**
   * Removes one factor, or all without an id. With the last one go the roles that demand a second factor. Throws `not_found`,
   * `cannot_remove_last_owner`.
   */
  remove(userId: string, factorId: string | undefined, context: CallContext): Promise<readonly RemovedRole[]>;
  /** A new set; the old one is void. Undefined when no second factor is enabled. */
  regenerateBackupCodes(userId: string, context: CallContext): Promise<readonly string[] | undefined>;
}

export interface EnrolmentParts {
  readonly audit: Audit;
  readonly notices: Notices;
}

export function createEnrolment(
  platform: Pick<Platform, "config" | "database" | "clock" | "random">,
  parts: EnrolmentParts,
): Enrolment {
  const { config, database, clock, random } = platform;
  const { audit, notices } = parts;
  const demanding = rolesDemandingMfa(config);

  async function locked<T>(userId: string, work: (tx: Transaction, at: Date) => Promise<T>): Promise<T> {
    return database.transaction(async (tx) => {
      if ((await factorStore.lockUser(tx, userId)) === undefined) throw new AuthError("not_found");
      return work(tx, clock.now());
    });
  }

  async function switchOff(tx: Transaction, userId: string, at: Date): Promise<readonly RemovedRole[]> {
    await factorStore.lockGroupsOfUser(tx, userId);
    const removed = await factorStore.removeDemandingRoles(tx, userId, demanding, at);
    if (removed.some(({ lastOwner }) => lastOwner)) throw new AuthError("cannot_remove_last_owner");
    await factorStore.disable(tx, userId, at);
    return removed;
  }

  return {
    async add(userId, factor, { makeDefault, onlyFirst }, context) {
      const issued = await locked(userId, async (tx, at) => {
        const state = await mfaStateStore.state(tx, userId);
        if (onlyFirst && state.factors.length > 0) throw new AuthError("forbidden");
        const isDefault = makeDefault || state.factors.length === 0;
        if (isDefault) await factorStore.clearDefault(tx, userId, at);
        await factorStore.upsert(tx, random.uuid(), userId, factor, isDefault, at);
        const fresh = state.enabled && state.backupCodes > 0 ? undefined : newBackupCodes(random);
        await factorStore.enable(tx, userId, fresh?.map(hashBackupCode) ?? null, at);
        const entry = { action: "mfa.factor_added", target: `user:${userId}`, outcome: "ok" } as const;
        await audit.record({ ...entry, details: { method: factor.method } }, context, tx);
        return fresh;
      });
      await notices.tell("notice_factor_added", userId, context);
      return issued;
    },

    async setDefault(userId, factorId, context) {
      if (!isUuid(factorId)) throw new AuthError("not_found");
      await locked(userId, async (tx, at) => {
        await factorStore.clearDefault(tx, userId, at);
        if (!(await factorStore.setDefault(tx, userId, factorId, at))) throw new AuthError("not_found");
        const entry = { action: "mfa.default_changed", target: `user:${userId}`, outcome: "ok" } as const;
        await audit.record({ ...entry, details: { factor: factorId } }, context, tx);
      });
      await notices.tell("notice_factor_changed", userId, context);
    },

    async remove(userId, factorId, context) {
      if (factorId !== undefined && !isUuid(factorId)) throw new AuthError("not_found");
      const roles = await locked(userId, async (tx, at) => {
        const removed = await factorStore.remove(tx, userId, factorId ?? null);
        if (factorId !== undefined && removed.length === 0) throw new AuthError("not_found");
        const left = await mfaStateStore.state(tx, userId);
        // Nothing was there, and nothing is switched on: no event, and nothing to tell anybody.
        if (removed.length === 0 && !left.enabled) return undefined;
        const target = `user:${userId}`;
        const [first] = left.factors;
        const details = { methods: removed.map(({ method }) => method) };
        await audit.record({ action: "mfa.factor_removed", target, outcome: "ok", details }, context, tx);
        if (first !== undefined) {
          if (!left.factors.some(({ isDefault }) => isDefault))
            await factorStore.setDefault(tx, userId, first.id, at);
          return [];
        }
        const gone = await switchOff(tx, userId, at);
        const roleNames = gone.map(({ persona, role }) => `${persona}:${role}`);
        await audit.record(
          { action: "mfa.disabled", target, outcome: "ok", details: { roles: roleNames } },
          context,
          tx,
        );
        return gone;
      });
      if (roles === undefined) return [];
      await notices.tell("notice_factor_removed", userId, context);
      return roles;
    },

    async regenerateBackupCodes(userId, context) {
      const codes = newBackupCodes(random);
      const replaced = await locked(userId, async (tx, at) => {
        if (!(await factorStore.replaceBackupCodes(tx, userId, codes.map(hashBackupCode), at))) return false;
        const entry = { action: "mfa.backup_codes_regenerated", target: `user:${userId}` } as const;
        await audit.record({ ...entry, outcome: "ok" }, context, tx);
        return true;
      });
      if (!replaced) return undefined;
      await notices.tell("notice_backup_codes_renewed", userId, context);
      return codes;
    },
  };
}
