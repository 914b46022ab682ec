import type { BootstrapManifest } from "../../contract/dtos/index.ts";
import { AuthError } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/index.ts";
import type { Platform } from "../platform.ts";
import { noCounts, type ReconcileParts, reconcile } from "./reconcile.ts";
import { bootstrapStore } from "./store.ts";
import type { Bootstrap, BootstrapResult } from "./types.ts";
import { validateManifest } from "./validate.ts";

export { createDeclaredApplications } from "./applications.ts";
export { createRoleAuthority } from "./authority.ts";
export { parseManifest } from "./manifest-file.ts";
export type {
  Bootstrap,
  BootstrapOptions,
  BootstrapResult,
  DeclaredAuthority,
  DeclaredRole,
  DeclaredSubject,
} from "./types.ts";
export { isEmptyManifest } from "./validate.ts";

export interface BootstrapParts extends Omit<ReconcileParts, "clock"> {
  readonly audit: Audit;
}

/** Takes a rehearsal back. */
class Rehearsed extends Error {
  readonly changes: readonly string[];
  constructor(changes: readonly string[]) {
    super("a rehearsal is taken back");
    this.changes = changes;
  }
}

/** Hashing the passwords of a long manifest takes longer than statements of requests may. */
const transactionOptions = { timeoutMs: 0 };

function listed({ users, remoteApplications, groupRoles }: BootstrapManifest): BootstrapResult {
  const withRole = (entries: readonly { readonly rootRole: string }[]): number =>
    entries.filter((entry) => entry.rootRole.trim() !== "").length;
  return {
    ...noCounts(),
    dryRun: true,
    alreadyApplied: false,
    usersCreated: users.length,
    passwordsSet: users.filter((user) => user.password !== null).length,
    rootRoleAssignments: withRole(users),
    groupRoleAssignments: groupRoles.length,
    remoteApplications: remoteApplications.length,
    remoteApplicationRootRoles: withRole(remoteApplications),
  };
}

/** Manifests: accounts, trusted applications and roles a deployment starts with. */
export function createBootstrap(
  { database, clock }: Pick<Platform, "database" | "clock">,
  { audit, ...others }: BootstrapParts,
): Bootstrap {
  const parts: ReconcileParts = { clock, ...others };

  return {
    async apply(manifest, options, context) {
      validateManifest(manifest, parts.authority);
      if (options.dryRun) return listed(manifest);
      const name = options.name.trim() === "" ? "default" : options.name.trim();
      return database.transaction(async (tx) => {
        await bootstrapStore.lock(tx, name);
        if (options.startupOnly) {
          if (await bootstrapStore.applied(tx, name))
            return { ...noCounts(), dryRun: false, alreadyApplied: true };
          if (await bootstrapStore.inUse(tx)) throw new AuthError("bootstrap_database_not_empty");
          await bootstrapStore.mark(tx, name, clock.now());
        }
        const { counts } = await reconcile(parts, manifest, context, tx);
        await audit.record(
          { action: "bootstrap.applied", target: `bootstrap:${name}`, outcome: "ok", details: { ...counts } },
          context,
          tx,
        );
        return { ...counts, dryRun: false, alreadyApplied: false };
      }, transactionOptions);
    },

    async diff(manifest, context) {
      validateManifest(manifest, parts.authority);
      try {
        return await database.transaction(async (tx) => {
          const { changes } = await reconcile(parts, manifest, context, tx);
          throw new Rehearsed(changes);
        }, transactionOptions);
      } catch (error) {
        if (error instanceof Rehearsed) return error.changes;
        throw error;
      }
    },
  };
}
