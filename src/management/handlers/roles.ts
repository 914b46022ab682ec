import { AuthError } from "../../contract/errors/index.ts";
import type { GroupAddress, Groups, Subject } from "../../core/groups/index.ts";
import { parseUserId } from "../../core/identifiers/index.ts";
import type { HandlerFactory } from "./index.ts";

const root: GroupAddress = { persona: "root", instanceSlug: "" };

function user(id: string): Subject {
  return { id: id.trim().toLowerCase(), kind: "user" };
}

function slugOf(text: string): string {
  return text.trim().toLowerCase();
}

/** One result an id, in order; what the catalogue of refusals knows is an item's error, anything else fails the call. */
async function each(ids: readonly string[], work: (id: string) => Promise<void>) {
  const results: { id: string; error: string }[] = [];
  for (const id of ids) {
    try {
      await work(id);
      results.push({ id, error: "" });
    } catch (error) {
      if (!(error instanceof AuthError) || error.code === "service_unavailable") throw error;
      results.push({ id, error: error.code });
    }
  }
  return results;
}

async function rolesOf(groups: Groups, userId: string): Promise<string[]> {
  const id = parseUserId(userId);
  return (await groups.rootRoles([id])).get(id) ?? [];
}

/** Roles in the root group, by their slugs. */
export const roleHandlers: HandlerFactory = ({ groups }) => {
  const declared = (role: string) => groups.catalogue.role("root", role) !== undefined;
  return {
    assignRoleBySlug: async ({ userId, slug }, { callContext }) => {
      await groups.ensureRoot();
      await groups.assign(root, user(userId), slugOf(slug), callContext);
    },
    assignRoleBySlugAs: async ({ actorUserId, userId, slug }, { callContext }) => {
      await groups.ensureRoot();
      await groups.assignAs(actorUserId, root, user(userId), slugOf(slug), callContext);
    },
    assignRolesBySlugAs: async ({ actorUserId, userIds, slug }, { callContext }) => {
      await groups.ensureRoot();
      return each(userIds, (id) => groups.assignAs(actorUserId, root, user(id), slugOf(slug), callContext));
    },
    removeRoleBySlug: ({ userId, slug }, { callContext }) =>
      groups.unassign(root, user(userId), slugOf(slug), callContext),
    removeRoleBySlugAs: ({ actorUserId, userId, slug }, { callContext }) =>
      groups.unassignAs(actorUserId, root, user(userId), slugOf(slug), callContext),
    removeRolesBySlugAs: ({ actorUserId, userIds, slug }, { callContext }) =>
      each(userIds, (id) => groups.unassignAs(actorUserId, root, user(id), slugOf(slug), callContext)),
    listRoleSlugsByUser: async ({ userId }) => {
      // The contract's method cannot fail: a look-up that does not succeed is answered like no roles at all.
      const roles = await rolesOf(groups, userId).catch(() => []);
      const known = roles.filter(declared);
      return known.length === 0 ? null : known;
    },
    listRoleSlugsByUserErr: async ({ userId }) => {
      const roles = await rolesOf(groups, userId);
      return roles.length === 0 ? null : roles;
    },
    roleSlugsByUsers: async ({ userIds }) => {
      const stored = await groups.rootRoles(userIds);
      const known = [...stored].map(([id, roles]) => [id, roles.filter(declared)] as const);
      return Object.fromEntries(known.filter(([, roles]) => roles.length > 0));
    },
    upsertRoleBySlug: async ({ slug }) => {
      const role = slugOf(slug);
      if (role === "") throw new AuthError("invalid_role");
      await groups.ensureRoot();
      if (!groups.catalogue.mayExist("root", role)) throw new AuthError("invalid_role");
    },
  };
};
