import {
  bool,
  dto,
  everyGeneration,
  field,
  type Infer,
  type InferArgs,
  int64,
  json,
  list,
  map,
  nullable,
  omitEmpty,
  only,
  string,
  time,
} from "../types.ts";
import { RemoteAppKey } from "./remote-applications.ts";

/** Exactly one of plaintext, hash with its algorithm, or a demanded reset. */
export const BootstrapUserPassword = dto("BootstrapUserPassword", everyGeneration, {
  plaintext: field("plaintext", string),
  hash: field("hash", string),
  hashAlgo: field("hash_algo", string),
  hashParams: field("hash_params", map(json)),
  resetRequired: field("reset_required", bool),
  enforce: field("enforce", bool),
});
export type BootstrapUserPassword = Infer<typeof BootstrapUserPassword>;
export type BootstrapUserPasswordInput = InferArgs<typeof BootstrapUserPassword>;

/** An account the manifest declares. */
export const BootstrapManifestUser = dto("BootstrapManifestUser", everyGeneration, {
  email: field("email", string),
  phoneNumber: field("phone_number", string),
  username: field("username", string),
  emailVerified: field("email_verified", bool),
  phoneVerified: field("phone_verified", bool),
  banned: field("banned", bool),
  bannedAt: field("banned_at", nullable(time)),
  bannedUntil: field("banned_until", nullable(time)),
  banReason: field("ban_reason", nullable(string)),
  bannedBy: field("banned_by", nullable(string)),
  metadata: field("metadata", map(json)),
  password: field("password", nullable(BootstrapUserPassword)),
  rootRole: field("root_role", string),
});
export type BootstrapManifestUser = Infer<typeof BootstrapManifestUser>;
export type BootstrapManifestUserInput = InferArgs<typeof BootstrapManifestUser>;

/** A trusted issuer the manifest declares. */
export const BootstrapManifestRemoteApplication = dto("BootstrapManifestRemoteApplication", everyGeneration, {
  slug: field("slug", string),
  issuer: field("issuer", string),
  jwksUri: field("jwks_uri", string),
  publicKeys: field("public_keys", list(RemoteAppKey)),
  enabled: field("enabled", nullable(bool)),
  rootRole: field("root_role", string),
});
export type BootstrapManifestRemoteApplication = Infer<typeof BootstrapManifestRemoteApplication>;
export type BootstrapManifestRemoteApplicationInput = InferArgs<typeof BootstrapManifestRemoteApplication>;

/** A role of an account or application in a group. */
export const BootstrapManifestGroupRole = dto("BootstrapManifestGroupRole", ["0.73"], {
  username: field("username", string),
  remoteApplicationSlug: field("remote_application_slug", string),
  persona: field("persona", string),
  instanceSlug: field("instance_slug", string),
  role: field("role", string),
});
export type BootstrapManifestGroupRole = Infer<typeof BootstrapManifestGroupRole>;
export type BootstrapManifestGroupRoleInput = InferArgs<typeof BootstrapManifestGroupRole>;

/** Fixtures for development. */
export const BootstrapManifestDev = dto("BootstrapManifestDev", ["0.97"], {
  staticEntitlements: omitEmpty(field("static_entitlements", list(string))),
});
export type BootstrapManifestDev = Infer<typeof BootstrapManifestDev>;
export type BootstrapManifestDevInput = InferArgs<typeof BootstrapManifestDev>;

/** The declared state of accounts, trusted issuers and roles. */
export const BootstrapManifest = dto("BootstrapManifest", everyGeneration, {
  users: field("users", list(BootstrapManifestUser)),
  remoteApplications: field("remote_applications", list(BootstrapManifestRemoteApplication)),
  groupRoles: only("0.73", field("group_roles", list(BootstrapManifestGroupRole))),
  dev: only("0.97", omitEmpty(field("dev", BootstrapManifestDev))),
});
export type BootstrapManifest = Infer<typeof BootstrapManifest>;
export type BootstrapManifestInput = InferArgs<typeof BootstrapManifest>;

/** How a manifest is applied. */
export const BootstrapReconcileOptions = dto("BootstrapReconcileOptions", everyGeneration, {
  dryRun: field("DryRun", bool),
  startupOnly: field("StartupOnly", bool),
  name: field("Name", string),
});
export type BootstrapReconcileOptions = Infer<typeof BootstrapReconcileOptions>;
export type BootstrapReconcileOptionsInput = InferArgs<typeof BootstrapReconcileOptions>;

/** What applying a manifest did. */
export const BootstrapManifestResult = dto("BootstrapManifestResult", everyGeneration, {
  dryRun: field("dry_run", bool),
  alreadyApplied: field("already_applied", bool),
  usersCreated: field("users_created", int64),
  usersUpdated: field("users_updated", int64),
  passwordsSet: field("passwords_set", int64),
  passwordsKept: field("passwords_kept", int64),
  rootRoleAssignments: field("root_role_assignments", int64),
  groupRoleAssignments: only("0.73", field("group_role_assignments", int64)),
  remoteApplications: field("remote_applications", int64),
  remoteApplicationRootRoles: field("remote_application_root_roles", int64),
});
export type BootstrapManifestResult = Infer<typeof BootstrapManifestResult>;
