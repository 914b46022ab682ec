import type { BootstrapManifest, BootstrapManifestUser } from "../../contract/dtos/index.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { DeclaredUser, UserOperations } from "../users/index.ts";
import { type PasswordSeedParts, seedPassword } from "./passwords.ts";
import type { BootstrapResult, DeclaredAuthority, DeclaredSubject } from "./types.ts";
import { invalidManifest } from "./validate.ts";

export interface ReconcileParts extends PasswordSeedParts {
  readonly clock: Platform["clock"];
  readonly users: Pick<UserOperations, "declare" | "byUsername">;
  readonly authority: DeclaredAuthority;
}

/** Counters, and one line for each thing that was not as declared. */
export interface Reconciliation {
  readonly counts: Counts;
  readonly changes: readonly string[];
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type Counts = Mutable<Omit<BootstrapResult, "dryRun" | "alreadyApplied">>;

export function noCounts(): Counts {
  return {
    usersCreated: 0,
    usersUpdated: 0,
    passwordsSet: 0,
    passwordsKept: 0,
    rootRoleAssignments: 0,
    groupRoleAssignments: 0,
    remoteApplications: 0,
    remoteApplicationRootRoles: 0,
  };
}

/** A ban needs no date in a manifest: it starts when it is first applied. */
function declaredUser(user: BootstrapManifestUser, now: Date): DeclaredUser {
  return {
    email: user.email,
    phoneNumber: user.phoneNumber,
    username: user.username,
    emailVerified: user.emailVerified,
    phoneVerified: user.phoneVerified,
    bannedAt: user.bannedAt ?? (user.banned ? now : null),
    bannedUntil: user.bannedUntil,
    banReason: user.banReason,
    bannedBy: user.bannedBy,
    metadata: user.metadata,
  };
}

const roleName = (text: string): string => text.trim().toLowerCase();

/** Applies a checked manifest inside one transaction, in the order applications, accounts, roles of groups. */
export async function reconcile(
  { clock, users, authority, ...passwordParts }: ReconcileParts,
  manifest: BootstrapManifest,
  context: CallContext,
  tx: Transaction,
): Promise<Reconciliation> {
  const counts = noCounts();
  const changes: string[] = [];
  const accounts = new Map<string, string>();

  const assign = async (
    who: string,
    subject: DeclaredSubject,
    persona: string,
    instanceSlug: string,
    role: string,
  ): Promise<void> => {
    const changed = await authority.setRole({ persona, instanceSlug, role, subject }, context, tx);
    if (changed)
      changes.push(`${who}: role ${role} in ${instanceSlug === "" ? persona : `${persona} ${instanceSlug}`}`);
  };

  await authority.ensureRoot(context, tx);

  for (const application of manifest.remoteApplications) {
    const who = `application ${application.slug.trim().toLowerCase()}`;
    const stored = await authority.storeApplication(application, context, tx);
    counts.remoteApplications += 1;
    if (stored.changed) changes.push(`${who}: stored`);
    const role = roleName(application.rootRole);
    if (role === "") continue;
    await assign(who, { kind: "remote_application", id: stored.id }, "root", "", role);
    counts.remoteApplicationRootRoles += 1;
  }

  // Asked once, so that every owner the manifest lists becomes one where there is none.
  const owned = await authority.rootHasOwner(tx);
  for (const declared of manifest.users) {
    const { user, created, changed } = await users.declare(declaredUser(declared, clock.now()), context, tx);
    const who = `user ${user.username ?? user.id}`;
    accounts.set(declared.username.trim().toLowerCase(), user.id);
    counts[created ? "usersCreated" : "usersUpdated"] += 1;
    if (created) changes.push(`${who}: created`);
    else if (changed.length > 0) changes.push(`${who}: ${changed.join(", ")}`);

    if (declared.password !== null) {
      const set = await seedPassword(passwordParts, { id: user.id, created }, declared.password, context, tx);
      counts[set ? "passwordsSet" : "passwordsKept"] += 1;
      if (set) changes.push(`${who}: password set`);
    }

    const role = roleName(declared.rootRole);
    if (role === "") continue;
    counts.rootRoleAssignments += 1;
    if (role !== "owner" || !owned) await assign(who, { kind: "user", id: user.id }, "root", "", role);
  }

  for (const [index, declared] of manifest.groupRoles.entries()) {
    const subject = await subjectOf(declared, index);
    const who = `${subject.kind === "user" ? "user" : "application"} ${declared.username || declared.remoteApplicationSlug}`;
    const persona = declared.persona.trim();
    const slug = persona === "root" ? "" : declared.instanceSlug.trim().toLowerCase();
    await assign(who, subject, persona, slug, declared.role.trim());
    counts.groupRoleAssignments += 1;
  }
  return { counts, changes };

  async function subjectOf(
    declared: BootstrapManifest["groupRoles"][number],
    index: number,
  ): Promise<DeclaredSubject> {
    const username = declared.username.trim();
    if (username !== "") {
      const id = accounts.get(username.toLowerCase()) ?? (await users.byUsername(username))?.id;
      if (id === undefined) throw invalidManifest(`group_roles[${index}]`, `no user ${username}`);
      return { kind: "user", id };
    }
    const slug = declared.remoteApplicationSlug.trim().toLowerCase();
    const id = await authority.findApplication(slug, tx);
    if (id === undefined) throw invalidManifest(`group_roles[${index}]`, `no remote application ${slug}`);
    return { kind: "remote_application", id };
  }
}
