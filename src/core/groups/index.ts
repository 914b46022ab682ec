import { AuthError } from "../../contract/errors/index.ts";
import { ConstraintViolation, type Transaction } from "../../platform/postgres/port.ts";
import type { Authorization } from "../authentication/authorization.ts";
import { covered } from "../authentication/permission-cover.ts";
import { isSlug, isUuid } from "../identifiers/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import { createCatalogue } from "./catalogue.ts";
import { reportDrift, seedContainment } from "./containment.ts";
import { createCustomRoles } from "./custom-roles.ts";
import { createGroupDeletion } from "./deletion.ts";
import { createJoining } from "./joining.ts";
import { createAssignments, createMembership, type MembershipDependencies } from "./membership.ts";
import { definedRole, effectiveGrants, isDisplayName, resolveGroup } from "./permissions.ts";
import { createSelfService } from "./self-service.ts";
import { createGroupSettings } from "./settings.ts";
import { groupStore } from "./store.ts";
import type { GroupAddress, GroupRow, Groups, NewGroup, Subject } from "./types.ts";

export { prepareGroups } from "./containment.ts";
export type {
  Capability,
  Catalogue,
  GroupAddress,
  GroupRow,
  Groups,
  NewGroup,
  PersonaDefinition,
  RoleDefinition,
  Subject,
  SubjectKind,
} from "./types.ts";

/** Groups over the configured personas. Nothing is cached: a change of assignments counts from the next question on. */
export function createGroups(
  platform: Pick<Platform, "config" | "database" | "clock" | "random" | "log">,
  dependencies: MembershipDependencies,
): Groups {
  const { config, database, clock, random } = platform;
  const catalogue = createCatalogue(config.personas);
  const assignments = createAssignments(platform, catalogue, dependencies);
  const membership = createMembership(platform, catalogue, assignments, dependencies.audit);

  async function ensureRoot(): Promise<string> {
    const present = await groupStore.root(database);
    if (present !== undefined) return present.id;
    await groupStore.insertRoot(database, random.uuid(), clock.now());
    const made = await groupStore.root(database);
    if (made === undefined) throw new AuthError("permission_group_not_found");
    return made.id;
  }

  async function rootRoles(userIds: readonly string[]): Promise<Map<string, string[]>> {
    const ids = userIds.filter(isUuid);
    return new Map((await groupStore.rootRoles(database, ids)).map(({ id, roles }) => [id, roles]));
  }

  async function permissions(subject: Subject, address: GroupAddress): Promise<string[]> {
    try {
      const group = await resolveGroup(database, address);
      return await effectiveGrants(database, catalogue, subject, group.id, clock.now());
    } catch (error) {
      if (error instanceof AuthError && error.code === "permission_group_not_found") return [];
      throw error;
    }
  }

  async function insert(tx: Transaction, group: GroupRow, parent: GroupRow): Promise<void> {
    try {
      if (!(await groupStore.insert(tx, group, parent, clock.now()))) throw new AuthError("group_slug_taken");
    } catch (error) {
      if (error instanceof ConstraintViolation && error.kind === "unique")
        throw new AuthError("group_slug_taken", { cause: error });
      throw error;
    }
  }

  async function create(request: NewGroup, context: CallContext, on?: Transaction): Promise<GroupRow> {
    const persona = catalogue.persona(request.persona.trim());
    if (persona === undefined) throw new AuthError("unknown_group_persona");
    const slug = request.instanceSlug.trim();
    const kind = request.ownerSubjectKind.trim() || "user";
    if (kind !== "user" && kind !== "remote_application") throw new AuthError("invalid_request");
    const parentPersona = request.parentPersona.trim();
    const group: GroupRow = {
      id: random.uuid(),
      persona: persona.name,
      instanceSlug: persona.name === "root" ? null : slug,
      displayName: request.displayName.trim(),
    };
    const isRoot = persona.name === "root";
    if (isRoot ? slug !== "" : !isSlug(slug)) throw new AuthError("group_slug_invalid");
    if (!isDisplayName(group.displayName)) throw new AuthError("invalid_request");
    if (parentPersona !== "" && parentPersona !== persona.parent)
      throw new AuthError("unknown_group_persona");
    // Within a caller's transaction a second connection could wait for ever; what it would make is there since the start.
    if (!isRoot && on === undefined) {
      await seedContainment(database, catalogue);
      if (persona.parent === "root") await ensureRoot();
    }
    const owner: Subject = { id: request.ownerSubjectId.trim().toLowerCase(), kind };
    const made = async (tx: Transaction): Promise<GroupRow> => {
      if (isRoot) {
        if ((await groupStore.insertRoot(tx, group.id, clock.now())) === 0)
          throw new AuthError("group_slug_taken");
      } else {
        const parent = await resolveGroup(tx, {
          persona: persona.parent,
          instanceSlug: request.parentInstanceSlug,
        });
        await insert(tx, group, parent);
      }
      await dependencies.audit.record(
        {
          action: "group.created",
          target: `group:${group.id}`,
          outcome: "ok",
          details: { persona: persona.name, slug },
        },
        context,
        tx,
      );
      if (owner.id !== "") {
        await assignments.hold(tx, group, owner);
        await assignments.put(tx, group, owner, await assignments.assignable(tx, group, "owner"), context);
      }
      return group;
    };
    return on === undefined ? database.transaction(made) : made(on);
  }

  const authorization: Authorization = {
    async allows(principal, permission, persona, instanceSlug) {
      if (principal.kind === "user")
        return covered(
          await permissions({ id: principal.userId, kind: "user" }, { persona, instanceSlug }),
          permission,
        );
      if (!covered(principal.permissions, permission)) return false;
      // A machine's permissions count in the group that owns it only; delegated ones were capped to their application's authority.
      if (principal.kind === "delegated" || (persona === "root" && principal.persona === "root")) return true;
      return principal.persona === persona && principal.instanceSlug === instanceSlug;
    },
  };

  return {
    ...membership,
    join: createJoining(catalogue, assignments),
    customRoles: createCustomRoles(platform, catalogue, dependencies.audit),
    settings: createGroupSettings(platform, dependencies.audit),
    deletion: createGroupDeletion(platform, dependencies.audit),
    catalogue,
    authorization,
    ensureRoot,
    create,
    async assignIn(tx, group, subject, role, context) {
      await assignments.hold(tx, group, subject);
      await assignments.put(tx, group, subject, await assignments.assignable(tx, group, role), context);
    },
    permissions,
    async seedContainment() {
      await seedContainment(database, catalogue);
      await reportDrift(platform, catalogue);
    },
    resolve: (address) => resolveGroup(database, address),
    async members(address) {
      return groupStore.members(database, (await resolveGroup(database, address)).id);
    },
    memberships: async (subject) => (isUuid(subject.id) ? groupStore.memberships(database, subject) : []),
    permissionsIn: (subject, groupId, on) =>
      effectiveGrants(on ?? database, catalogue, subject, groupId, clock.now()),
    can: async (subject, permission, address) => covered(await permissions(subject, address), permission),
    role: (group, role, on) => definedRole(on ?? database, catalogue, group, role),
    async lock(group, tx) {
      if (!(await groupStore.lock(tx, group.id))) throw new AuthError("permission_group_not_found");
    },
    rootRoles,
    selfService: createSelfService(catalogue, { rootRoles }),
  };
}
