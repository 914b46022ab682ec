import type { Queryable, Transaction } from "../../platform/postgres/port.ts";
import type { ApplicationAuthority } from "../authentication/index.ts";
import type { CallContext } from "../platform.ts";
import type { AttributeDefinitions } from "./attribute-definitions.ts";

/** A static public key of an application. */
export interface ApplicationKey {
  readonly kid: string;
  readonly publicKeyPem: string;
}

/** An external issuer whose tokens this server accepts, and the group it belongs to. */
export interface RemoteApplication {
  readonly id: string;
  readonly slug: string;
  readonly permissionGroupId: string;
  readonly issuer: string;
  readonly jwksUri: string;
  readonly mode: "jwks" | "static";
  /** Null in mode `jwks`. */
  readonly publicKeys: readonly ApplicationKey[] | null;
  readonly enabled: boolean;
  readonly displayName: string;
  readonly tier: string;
  readonly trustRoot: string;
  readonly domain: string;
  readonly documentEndpoint: string;
  readonly rootVerifiedAt: Date | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** What an operator or a credentials manager states. */
export interface ApplicationStatement {
  readonly slug: string;
  readonly permissionGroupId: string;
  readonly issuer: string;
  readonly jwksUri: string;
  /** Blank = `static` with keys, else `jwks`. */
  readonly mode: string;
  readonly publicKeys: readonly ApplicationKey[] | null;
  readonly enabled: boolean;
}

export interface AttributeDefinition {
  readonly remoteApplicationId: string;
  readonly key: string;
  readonly version: number;
  /** JSON text. */
  readonly definition: string;
}

export interface RemoteApplications extends AttributeDefinitions {
  /**
   * Stores an application under its issuer. With `ownGroupOnly` an application of another group is not taken over
   * (`application_issuer_conflict`); with `keepSame` one that is as stated already stays untouched. Throws `reserved_issuer`, `invalid_remote_application`, `permission_group_not_found`,
   * `application_slug_conflict`.
   */
  upsert(
    statement: ApplicationStatement,
    context: CallContext,
    options?: { readonly ownGroupOnly?: boolean; readonly keepSame?: boolean; readonly tx?: Transaction },
  ): Promise<RemoteApplication>;
  /** Checks a statement without storing it. Throws `reserved_issuer`, `invalid_remote_application`. */
  check(statement: ApplicationStatement): void;
  /** Throws `invalid_remote_application` for a blank issuer, `remote_application_not_found`. */
  byIssuer(issuer: string, on?: Queryable): Promise<RemoteApplication>;
  /** By slug. */
  list(activeOnly: boolean): Promise<RemoteApplication[]>;
  /** Newest first. */
  ofGroup(groupId: string): Promise<RemoteApplication[]>;
  bySlug(slug: string): Promise<RemoteApplication | undefined>;
  /** Throws `invalid_remote_application`, `remote_application_not_found`. */
  remove(issuer: string, context: CallContext): Promise<void>;
  /** What the application may do in its own group. Throws `invalid_remote_application`, `remote_application_not_found`. */
  authority(applicationId: string): Promise<ApplicationAuthority>;
}
