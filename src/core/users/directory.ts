import { AuthError } from "../../contract/errors/index.ts";
import { isStorable, isUuid, parseUserId } from "../identifiers/index.ts";
import { announce } from "../sessions/index.ts";
import { decideAccess } from "./access.ts";
import type { UserCapability } from "./capability.ts";
import {
  type DirectoryQuery,
  type DirectoryRow,
  directoryStore,
  type UserSort,
  type UserStatus,
} from "./directory-store.ts";
import { isReserved } from "./lookup.ts";
import type { AdminUser, UserDirectory, UserListOptions } from "./operations.ts";
import { userStore } from "./store.ts";

const defaultPageSize = 50;
const maxPageSize = 200;
/** Far beyond any directory, and far below where offsets stop being exact numbers. */
const maxPage = 1_000_000_000;

const statusOf: ReadonlyMap<string, UserStatus> = new Map([
  ["active", "active"],
  ["banned", "banned"],
  ["deleted", "deleted"],
  ["any", "any"],
]);
const sortOf: ReadonlyMap<string, UserSort> = new Map([
  ["created_at", "created_at"],
  ["last_login", "last_login"],
  ["username", "username"],
  ["email", "email"],
]);

/** The administrators' directory. */
export function createDirectory(capability: UserCapability): UserDirectory {
  const { config, database, clock, feed, log } = capability;
  const declared = new Set(["owner"]);
  for (const persona of config.personas)
    if (persona.name === "root") for (const role of persona.roles) declared.add(role.name);

  function query(options: UserListOptions): DirectoryQuery {
    if ((options.entitlement ?? "").trim() !== "") throw new AuthError("entitlement_filter_unavailable");
    const search = options.search.trim();
    const role = options.role.trim().toLowerCase();
    if (!isStorable(search) || !isStorable(role)) throw new AuthError("invalid_request");
    return {
      status: statusOf.get(options.status) ?? "live",
      sort: sortOf.get(options.sort) ?? "created_at",
      descending: options.descending,
      nullsLast: options.nullsLast ?? false,
      search: search === "" ? undefined : search,
      role: role === "" ? undefined : role,
      now: clock.now(),
    };
  }

  function enriched({ rootRoles, ...user }: DirectoryRow): AdminUser {
    return {
      ...user,
      roles: rootRoles.filter((role) => declared.has(role)),
      removedRoles: rootRoles.filter((role) => !declared.has(role)),
    };
  }

  return {
    async list(options) {
      const asked = query(options);
      const size = Math.trunc(options.pageSize);
      const limit = size >= 1 && size <= maxPageSize ? size : defaultPageSize;
      const page = Math.min(Math.max(Math.trunc(options.page) || 1, 1), maxPage);
      const offset = (page - 1) * limit;
      const [users, total] = await Promise.all([
        directoryStore.list(database, asked, limit, offset),
        directoryStore.count(database, asked),
      ]);
      return { users: users.map(enriched), total, limit, offset };
    },

    count: async (options) => directoryStore.count(database, query(options)),

    async adminById(id) {
      const user = isUuid(id) ? await directoryStore.byId(database, id) : undefined;
      if (user === undefined) throw new AuthError("user_not_found");
      return enriched(user);
    },

    async liveness(ids) {
      if (ids.length === 0) return [];
      const users = await userStore.byIds(database, ids.map(parseUserId));
      const now = clock.now();
      const judged = users.map((user) => ({
        user,
        decision: decideAccess({ ...user, reserved: isReserved(user) }, now),
      }));
      const lapsed = judged.filter(({ decision }) => decision === "ban_lapsed").map(({ user }) => user.id);
      if (lapsed.length > 0) {
        const cleared = await userStore.clearLapsedBans(database, lapsed, now);
        await announce(
          log,
          cleared.map((id) => () => feed.readmitUser(id)),
        );
      }
      const unbanned = { bannedAt: null, bannedUntil: null, banReason: null, bannedBy: null };
      return judged.map(({ user, decision }) => ({
        ...user,
        ...(decision === "ban_lapsed" ? unbanned : {}),
        allowed: decision !== "refused",
      }));
    },
  };
}
