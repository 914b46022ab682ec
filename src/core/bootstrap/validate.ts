import type {
  BootstrapManifest,
  BootstrapManifestGroupRole,
  BootstrapManifestUser,
  BootstrapUserPassword,
} from "../../contract/dtos/index.ts";
import { AuthError } from "../../contract/errors/index.ts";
import type { DeclaredAuthority } from "./types.ts";

/** Shortest seeded password, in bytes as given. */
const minPasswordBytes = 8;

/** The manifest is wrong at `path`, whatever the database holds. */
export function invalidManifest(path: string, problem: string): AuthError {
  return new AuthError("invalid_bootstrap_manifest", { message: `${path}: ${problem}` });
}

const blank = (text: string): boolean => text.trim() === "";

function checkPassword(password: BootstrapUserPassword, path: string): void {
  const { plaintext, hash, hashAlgo, resetRequired, enforce } = password;
  if (plaintext !== "" && Buffer.byteLength(plaintext) < minPasswordBytes)
    throw new AuthError("password_too_short", { message: `${path}.plaintext: at least 8 bytes` });
  if (blank(hash) !== blank(hashAlgo)) throw invalidManifest(path, "hash and hash_algo go together");
  const modes = [plaintext !== "", !blank(hash), resetRequired].filter(Boolean).length;
  if (modes !== 1)
    throw invalidManifest(path, "exactly one of plaintext, hash with hash_algo, and reset_required");
  if (enforce && resetRequired) throw invalidManifest(path, "enforce and reset_required exclude each other");
}

function checkUser(user: BootstrapManifestUser, path: string): void {
  if (blank(user.username)) throw invalidManifest(path, "username is required");
  if (user.password !== null) checkPassword(user.password, `${path}.password`);
}

function checkGroupRole(role: BootstrapManifestGroupRole, path: string): void {
  if (blank(role.username) === blank(role.remoteApplicationSlug))
    throw invalidManifest(path, "exactly one of username and remote_application_slug");
  if (blank(role.persona) || blank(role.role)) throw invalidManifest(path, "persona and role are required");
  if (role.persona.trim() !== "root" && blank(role.instanceSlug))
    throw invalidManifest(path, "instance_slug is required unless the persona is root");
}

/**
 * Checks a whole manifest before anything of it is applied. Throws `invalid_bootstrap_manifest`, `password_too_short`,
 * `invalid_remote_application`, `reserved_issuer`.
 */
export function validateManifest(
  manifest: BootstrapManifest,
  authority: Pick<DeclaredAuthority, "checkApplication">,
): void {
  for (const [index, user] of manifest.users.entries()) checkUser(user, `users[${index}]`);
  for (const [index, application] of manifest.remoteApplications.entries()) {
    const path = `remote_applications[${index}]`;
    if (blank(application.slug)) throw invalidManifest(path, "slug is required");
    if (blank(application.issuer)) throw invalidManifest(path, "issuer is required");
    if (application.enabled === null) throw invalidManifest(path, "enabled is required");
    authority.checkApplication(application);
  }
  for (const [index, role] of manifest.groupRoles.entries()) checkGroupRole(role, `group_roles[${index}]`);
}

/** Whether a manifest lists nothing to be stored. */
export function isEmptyManifest(manifest: BootstrapManifest): boolean {
  const { users, remoteApplications, groupRoles } = manifest;
  return users.length + remoteApplications.length + groupRoles.length === 0;
}
