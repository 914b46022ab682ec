import type { Transaction } from "../../platform/postgres/port.ts";
import type { Authorization } from "../authentication/authorization.ts";
import type { CallContext } from "../platform.ts";
import type { CustomRoles } from "./custom-roles.ts";
import type { GroupDeletion } from "./deletion.ts";
import type { createJoining } from "./joining.ts";
import type { SelfService } from "./self-service.ts";
import type { GroupSettings } from "./settings.ts";

export type SubjectKind = "user" | "remote_application";

/** Who may hold a role in a group. API keys are no subjects: a key carries its role itself. */
export interface Subject {
  readonly id: string;
  readonly kind: SubjectKind;
}

/** A group by its public name; the slug of the root group is ignored. */
export interface GroupAddress {
  readonly persona: string;
  readonly instanceSlug: string;
}

export interface GroupRow {
  readonly id: string;
  readonly persona: string;
  /** Null for the root group. */
  readonly instanceSlug: string | null;
  readonly displayName: string;
}

export interface RoleDefinition {
  readonly name: string;
  readonly permissions: readonly string[];
  readonly requiresMfa: boolean;
}

export interface GroupMemberRow {
  readonly subjectId: string;
  readonly subjectKind: SubjectKind;
  readonly role: string;
}

export interface MembershipRow {
  readonly groupId: string;
  readonly persona: string;
  readonly instanceSlug: string;
  readonly displayName: string;
  readonly role: string;
}

export interface NewGroup {
  readonly persona: string;
  readonly instanceSlug: string;
  readonly parentPersona: string;
  readonly parentInstanceSlug: string;
  /** Blank = no owner. */
  readonly ownerSubjectId: string;
  /** Blank = `user`. */
  readonly ownerSubjectKind: string;
  readonly displayName: string;
}

/** Which half of a role change's authority is asked for: of members, or of machine credentials. */
export type Capability = "members:manage" | "credentials:manage";

/** Permission groups: instances of personas, who holds which role in them, and what follows from it. */
export interface Groups {
  /** Id of the root group, made when absent. */
  ensureRoot(): Promise<string>;
  /** Brings the table of persona parents in line with the configuration and reports roles nobody declares. */
  seedContainment(): Promise<void>;
  /** The live group. Throws `permission_group_not_found`, also for a malformed slug or unknown persona. */
  resolve(address: GroupAddress): Promise<GroupRow>;
  /**
   * Makes a group, in the caller's transaction if one is given. Throws `unknown_group_persona`, `group_slug_invalid`, `group_slug_taken`,
   * `permission_group_not_found`, `2fa_enrollment_required`.
   */
  create(group: NewGroup, context: CallContext, on?: Transaction): Promise<GroupRow>;
  /** {@link assign} within a transaction, in a group that has been resolved. */
  assignIn(
    tx: Transaction,
    group: GroupRow,
    subject: Subject,
    role: string,
    context: CallContext,
  ): Promise<void>;
  members(address: GroupAddress): Promise<GroupMemberRow[]>;
  memberships(subject: Subject): Promise<MembershipRow[]>;
  /** Effective grants along the chain of parents, globs verbatim; empty for an unknown group, and for a user banned or deleted. */
  permissions(subject: Subject, address: GroupAddress): Promise<string[]>;
  /** The same by the group's id, within a transaction. */
  permissionsIn(subject: Subject, groupId: string, on?: Transaction): Promise<string[]>;
  can(subject: Subject, permission: string, address: GroupAddress): Promise<boolean>;
  /** Grants of a role in a group: catalogue role, else the group's custom role; undefined when there is none. */
  role(group: GroupRow, role: string, on?: Transaction): Promise<RoleDefinition | undefined>;
  /**
   * Whether the user may deal in this role here: holds the capability and covers each grant of the role. Throws
   * `insufficient_role_authority`, `role_not_assignable`, `role_assignment_escalation`. Lock the group first when a write follows.
   */
  assertAuthority(
    actorUserId: string,
    group: GroupRow,
    capability: Capability,
    role: string,
    on?: Transaction,
  ): Promise<RoleDefinition>;
  /** Locks the group's row for the rest of the transaction. Throws `permission_group_not_found` when it is gone. */
  lock(group: GroupRow, tx: Transaction): Promise<void>;
  /** Trusted: without a check of authority. Throws `role_not_assignable`, `2fa_enrollment_required`. */
  assign(address: GroupAddress, subject: Subject, role: string, context: CallContext): Promise<void>;
  /** Throws the codes of authority, with `members:manage` as the capability when none is given, and `cannot_remove_last_admin_role`. */
  assignAs(
    actorUserId: string,
    address: GroupAddress,
    subject: Subject,
    role: string,
    context: CallContext,
    capability?: Capability,
  ): Promise<void>;
  /** Trusted: neither authority nor last owner are checked; the loss of the last owner is logged. */
  unassign(address: GroupAddress, subject: Subject, role: string, context: CallContext): Promise<void>;
  unassignAs(
    actorUserId: string,
    address: GroupAddress,
    subject: Subject,
    role: string,
    context: CallContext,
  ): Promise<void>;
  /** Removes all roles of a subject. Throws the codes of authority, and `cannot_remove_last_admin_role`. */
  removeAs(actorUserId: string, address: GroupAddress, subject: Subject, context: CallContext): Promise<void>;
  /** Gives up one's own roles; without any, nothing happens. Throws `cannot_remove_last_admin_role`. */
  leave(userId: string, address: GroupAddress, context: CallContext): Promise<void>;
  /** Stored roles of users in the root group, sorted; users without any are absent. */
  rootRoles(userIds: readonly string[]): Promise<Map<string, string[]>>;
  /** Gives a role by invitation; see joining.ts. */
  readonly join: ReturnType<typeof createJoining>;
  readonly selfService: SelfService;
  readonly customRoles: CustomRoles;
  readonly settings: GroupSettings;
  readonly deletion: GroupDeletion;
  readonly catalogue: Catalogue;
  readonly authorization: Authorization;
}

export interface PersonaDefinition {
  readonly name: string;
  readonly parent: string;
  readonly roles: readonly RoleDefinition[];
  readonly apiKeys: boolean;
  readonly remoteApplications: boolean;
  readonly customRoles: boolean;
  readonly requireConsent: boolean;
  readonly selfServiceCreation: boolean;
  /** What users may call the groups they make themselves. */
  readonly slugs: {
    readonly pattern: string | undefined;
    readonly reserved: readonly string[];
    readonly reservedRole: string;
  };
  /** Grants a custom role may hold, sorted; compared as text. */
  readonly universe: readonly string[];
}

/** The declared personas and their roles; immutable. */
export interface Catalogue {
  readonly personas: readonly PersonaDefinition[];
  persona(name: string): PersonaDefinition | undefined;
  /** A declared role; custom roles are not part of the catalogue. */
  role(persona: string, role: string): RoleDefinition | undefined;
  /** Whether the name can stand for a role here at all: declared, or the persona has custom roles. */
  mayExist(persona: string, role: string): boolean;
}
