import type { ImportUserInput } from "../../contract/dtos/index.ts";
import type { ImportedUser } from "../../core/users/index.ts";
import type { HandlerFactory } from "./index.ts";
import { userDto } from "./user-dto.ts";

function imported(input: ImportUserInput): ImportedUser {
  return {
    ...input,
    hashParams: input.hashParams === null ? null : Buffer.from(input.hashParams).toString("utf8"),
  };
}

/** An operator's call must get through in an emergency, so losing the last owner of the root group is only logged … */
const warn = { ownerGuard: "warn" } as const;
/** … except where it cannot be undone. */
const refuse = { ownerGuard: "cannot_remove_last_admin_role" } as const;

/** Accounts: import, deletion, restoration. */
export const userLifecycleHandlers: HandlerFactory = ({ users }) => ({
  importUsers: ({ inputs }, { callContext }) => users.import(inputs.map(imported), callContext),
  updateImportedUser: async ({ userId, input }, { callContext }) =>
    userDto(await users.updateImported(userId, imported(input), callContext)),

  softDeleteUser: async ({ id }, { callContext }) => {
    await users.softDelete(id, callContext, warn);
  },
  restoreUser: async ({ id }, { callContext }) => {
    await users.restore(id, callContext);
  },
  hardDeleteUser: async ({ userId }, { callContext }) => {
    await users.hardDelete(userId, callContext, refuse);
  },
  softDeleteUsers: ({ userIds }, { callContext }) => users.softDeleteMany(userIds, callContext, warn),
  restoreUsers: ({ userIds }, { callContext }) => users.restoreMany(userIds, callContext),
  hardDeleteUsers: ({ userIds }, { callContext }) => users.hardDeleteMany(userIds, callContext, refuse),
  listUsersDeletedBefore: ({ cutoff, limit }) => users.deletedBefore(cutoff, limit),
});
