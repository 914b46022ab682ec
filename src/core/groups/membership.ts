import { AuthError } from "../../contract/errors/index.ts";
import { type Queryable, sql, type Transaction } from "../../platform/postgres/port.ts";
import type { Audit } from "../audit/index.ts";
import { isUuid } from "../identifiers/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import { assertCovers, definedRole, effectiveGrants, resolveGroup } from "./permissions.ts";
import { groupStore } from "./store.ts";
import type { Capability, Catalogue, GroupRow, Groups, RoleDefinition, Subject } from "./types.ts";

// Deletion of an account locks its row before the groups it owns; taking both in this order cannot deadlock with it.
const holdUser = sql("groups.holdUser", (s) => `SELECT id FROM ${s}.users WHERE id = $1 FOR KEY SHARE`);
const holdApplication = sql(
  "groups.holdApplication",
  (s) => `SELECT id FROM ${s}.remote_applications WHERE id = $1 FOR KEY SHARE`,
);

export interface MembershipDependencies {
  readonly audit: Audit;
  /** Whether the user has a second factor, read in the given transaction. */
  readonly hasSecondFactor: (on: Queryable, userId: string) => Promise<boolean>;
}

/** Assignments within a transaction that has been opened by the caller, who has resolved the group. */
export interface Assignments {
  /** Locks subject and group in the order all writers use. Throws `user_not_found`, `permission_group_not_found`. */
  hold(tx: Transaction, group: GroupRow, subject: Subject): Promise<void>;
  /** Throws `role_not_assignable`. */
  assignable(on: Queryable, group: GroupRow, role: string): Promise<RoleDefinition>;
  /** Throws `2fa_enrollment_required`. The group is locked. */
  put(
    tx: Transaction,
    group: GroupRow,
    subject: Subject,
    role: RoleDefinition,
    context: CallContext,
  ): Promise<void>;
  /** Throws `cannot_remove_last_admin_role` when no owner who can act would be left without this one. The group is locked. */
  guardLastOwner(tx: Transaction, group: GroupRow, subject: Subject): Promise<void>;
}

export function createAssignments(
  platform: Pick<Platform, "config" | "clock">,
  catalogue: Catalogue,
  { audit, hasSecondFactor }: MembershipDependencies,
): Assignments {
  const { config, clock } = platform;
  return {
    async hold(tx, group, subject) {
      const known =
        isUuid(subject.id) &&
        (await tx.row(subject.kind === "user" ? holdUser : holdApplication, [subject.id])) !== undefined;
      if (!known)
        throw new AuthError(subject.kind === "user" ? "user_not_found" : "remote_application_not_found");
      if (!(await groupStore.lock(tx, group.id))) throw new AuthError("permission_group_not_found");
    },
    async assignable(on, group, role) {
      const definition = await definedRole(on, catalogue, group, role);
      if (definition === undefined) throw new AuthError("role_not_assignable");
      return definition;
    },
    async put(tx, group, subject, role, context) {
      const needsFactor = role.requiresMfa && subject.kind === "user" && config.mfa.mode !== "disabled";
      if (needsFactor && !(await hasSecondFactor(tx, subject.id)))
        throw new AuthError("2fa_enrollment_required");
      const at = clock.now();
      await groupStore.clearRoles(tx, group.id, subject, { except: role.name }, at);
      await groupStore.addRole(tx, group.id, subject, role.name, at);
      await audit.record(
        {
          action: "role.assigned",
          target: `${subject.kind}:${subject.id}`,
          outcome: "ok",
          details: { group: group.id, persona: group.persona, role: role.name },
        },
        context,
        tx,
      );
    },
    async guardLastOwner(tx, group, subject) {
      const owners = await groupStore.usableOwners(tx, group.id, clock.now());
      if (!owners.some((id) => id !== subject.id)) throw new AuthError("cannot_remove_last_admin_role");
    },
  };
}

type MembershipOperations = Pick<
  Groups,
  "assign" | "assignAs" | "unassign" | "unassignAs" | "removeAs" | "leave" | "assertAuthority"
>;

/** Changes of who holds which role; checks and write are one transaction under the lock of the group. */
export function createMembership(
  platform: Pick<Platform, "database" | "clock" | "log">,
  catalogue: Catalogue,
  assignments: Assignments,
  audit: Audit,
): MembershipOperations {
  const { database, clock, log } = platform;

  async function assertAuthority(
    ...[actorUserId, group, capability, role, on]: Parameters<Groups["assertAuthority"]>
  ): Promise<RoleDefinition> {
    const actor = actorUserId.trim();
    if (actor === "") throw new AuthError("insufficient_role_authority");
    const q = on ?? database;
    const held = await effectiveGrants(q, catalogue, { id: actor, kind: "user" }, group.id, clock.now());
    const definition = await definedRole(q, catalogue, group, role);
    assertCovers(held, group.persona, capability, definition?.permissions);
    if (definition === undefined) throw new AuthError("role_not_assignable");
    return definition;
  }

  /** A role nobody defines any more confers nothing: the capability is enough to take it away from its holder. */
  async function assertRemovable(
    tx: Transaction,
    actorUserId: string,
    group: GroupRow,
    role: string,
    held: readonly string[],
    capability: Capability = "members:manage",
  ): Promise<void> {
    const actor: Subject = { id: actorUserId.trim(), kind: "user" };
    const definition = await definedRole(tx, catalogue, group, role);
    const wanted = definition?.permissions ?? (held.includes(role) ? [] : undefined);
    assertCovers(
      await effectiveGrants(tx, catalogue, actor, group.id, clock.now()),
      group.persona,
      capability,
      wanted,
    );
  }

  async function clear(
    tx: Transaction,
    group: GroupRow,
    subject: Subject,
    roles: readonly string[],
    context: CallContext,
  ): Promise<void> {
    for (const role of roles) {
      await groupStore.clearRoles(tx, group.id, subject, { only: role }, clock.now());
      await audit.record(
        {
          action: "role.unassigned",
          target: `${subject.kind}:${subject.id}`,
          outcome: "ok",
          details: { group: group.id, persona: group.persona, role },
        },
        context,
        tx,
      );
    }
  }

  async function lockOrRefuse(tx: Transaction, group: GroupRow): Promise<void> {
    if (!(await groupStore.lock(tx, group.id))) throw new AuthError("permission_group_not_found");
  }

  async function heldBy(tx: Transaction, group: GroupRow, subject: Subject): Promise<string[]> {
    return isUuid(subject.id) ? groupStore.directRoles(tx, subject, group.id) : [];
  }

  async function warnOfLoss(tx: Transaction, group: GroupRow): Promise<void> {
    if ((await groupStore.usableOwners(tx, group.id, clock.now())).length === 0)
      log.warn({ groupId: group.id, persona: group.persona }, "a group loses its last usable owner");
  }

  return {
    assertAuthority,

    async assign(address, given, roleName, context) {
      const subject = stored(given);
      const role = roleName.trim();
      if (!catalogue.mayExist(address.persona.trim(), role)) throw new AuthError("role_not_assignable");
      const group = await resolveGroup(database, address);
      await database.transaction(async (tx) => {
        await assignments.hold(tx, group, subject);
        const definition = await assignments.assignable(tx, group, role);
        const owned = (await heldBy(tx, group, subject)).includes("owner") && role !== "owner";
        await assignments.put(tx, group, subject, definition, context);
        if (owned) await warnOfLoss(tx, group);
      });
    },

    async assignAs(actorUserId, address, given, roleName, context, capability = "members:manage") {
      const subject = stored(given);
      const role = roleName.trim();
      if (!catalogue.mayExist(address.persona.trim(), role)) throw new AuthError("role_not_assignable");
      const group = await resolveGroup(database, address);
      // Without authority nothing is said about the subject; asked again under the lock, where it counts.
      await assertAuthority(actorUserId, group, capability, role);
      await database.transaction(async (tx) => {
        await assignments.hold(tx, group, subject);
        const definition = await assertAuthority(actorUserId, group, capability, role, tx);
        for (const present of await heldBy(tx, group, subject)) {
          if (present === role) continue;
          // Replacing a role takes it away: that asks for the same authority as removing it.
          await assertRemovable(tx, actorUserId, group, present, [present], capability);
          if (present === "owner") await assignments.guardLastOwner(tx, group, subject);
        }
        await assignments.put(tx, group, subject, definition, context);
      });
    },

    async unassign(address, given, roleName, context) {
      const subject = stored(given);
      const role = roleName.trim();
      const group = await resolveGroup(database, address);
      await database.transaction(async (tx) => {
        await lockOrRefuse(tx, group);
        if (!(await heldBy(tx, group, subject)).includes(role)) return;
        await clear(tx, group, subject, [role], context);
        if (role === "owner") await warnOfLoss(tx, group);
      });
    },

    async unassignAs(actorUserId, address, given, roleName, context) {
      const subject = stored(given);
      const role = roleName.trim();
      const group = await resolveGroup(database, address);
      await database.transaction(async (tx) => {
        await lockOrRefuse(tx, group);
        const held = await heldBy(tx, group, subject);
        await assertRemovable(tx, actorUserId, group, role, held);
        if (!held.includes(role)) return;
        if (role === "owner") await assignments.guardLastOwner(tx, group, subject);
        await clear(tx, group, subject, [role], context);
      });
    },

    async removeAs(actorUserId, address, given, context) {
      const subject = stored(given);
      const group = await resolveGroup(database, address);
      await database.transaction(async (tx) => {
        await lockOrRefuse(tx, group);
        const held = await heldBy(tx, group, subject);
        for (const role of held) await assertRemovable(tx, actorUserId, group, role, held);
        if (held.includes("owner")) await assignments.guardLastOwner(tx, group, subject);
        await clear(tx, group, subject, held, context);
      });
    },

    async leave(userId, address, context) {
      const subject = stored({ id: userId, kind: "user" });
      const group = await resolveGroup(database, address);
      await database.transaction(async (tx) => {
        await lockOrRefuse(tx, group);
        const held = await heldBy(tx, group, subject);
        if (held.includes("owner")) await assignments.guardLastOwner(tx, group, subject);
        await clear(tx, group, subject, held, context);
      });
    },
  };
}

/** A subject by its id as rows hold it: ids are compared as text with what was read. */
function stored({ id, kind }: Subject): Subject {
  return { id: id.trim().toLowerCase(), kind };
}
