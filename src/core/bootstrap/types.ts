import type {
  BootstrapManifest,
  BootstrapManifestRemoteApplication,
  BootstrapManifestResult,
} from "../../contract/dtos/index.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import type { CallContext } from "../platform.ts";

/** How a manifest is applied. */
export interface BootstrapOptions {
  /** Touches no database: counts what the manifest lists. */
  readonly dryRun: boolean;
  /** At most once for each name, and only into a database without accounts and applications. */
  readonly startupOnly: boolean;
  /** Blank = `default`. */
  readonly name: string;
}

/** The result in the shape both generations have in common; the members of one are left out by the codec of the other. */
export type BootstrapResult = Required<BootstrapManifestResult>;

export interface Bootstrap {
  /**
   * Brings the database into line with a manifest: nothing is deleted and no role is taken away. One transaction, marker included, so that
   * either all of it holds or nothing; of several nodes that start together one applies it.
   *
   * Throws `invalid_bootstrap_manifest`, `password_too_short`, `bootstrap_database_not_empty`, and the codes of accounts, roles and
   * applications.
   */
  apply(
    manifest: BootstrapManifest,
    options: BootstrapOptions,
    context: CallContext,
  ): Promise<BootstrapResult>;
  /** What {@link apply} would change, one line each, found out by doing it and taking it back. */
  diff(manifest: BootstrapManifest, context: CallContext): Promise<readonly string[]>;
}

/** Who gets a role. */
export interface DeclaredSubject {
  readonly kind: "user" | "remote_application";
  readonly id: string;
}

export interface DeclaredRole {
  readonly persona: string;
  /** Empty for the root group. */
  readonly instanceSlug: string;
  readonly role: string;
  readonly subject: DeclaredSubject;
}

/** What a manifest needs of groups, roles and trusted applications: all of it in the manifest's transaction. */
export interface DeclaredAuthority {
  /** The root group exists afterwards, and the containment of the configured personas is stored. */
  ensureRoot(context: CallContext, tx: Transaction): Promise<void>;
  /** Whether an account that can be used owns the root group. */
  rootHasOwner(tx: Transaction): Promise<boolean>;
  /**
   * The subject's only role in the group is this one afterwards; false when it was before. Nobody's authority is asked for. Throws
   * `role_not_assignable`, `permission_group_not_found`, `2fa_enrollment_required`.
   */
  setRole(role: DeclaredRole, context: CallContext, tx: Transaction): Promise<boolean>;
  /** Upsert by issuer, into the root group. Throws `invalid_remote_application`, `reserved_issuer`. */
  storeApplication(
    application: BootstrapManifestRemoteApplication,
    context: CallContext,
    tx: Transaction,
  ): Promise<{ readonly id: string; readonly changed: boolean }>;
  /** Id of the application with this slug. */
  findApplication(slug: string, tx: Transaction): Promise<string | undefined>;
  /** Throws what {@link storeApplication} would for a declaration that can never be stored. */
  checkApplication(application: BootstrapManifestRemoteApplication): void;
}
