import { AuthError } from "../../contract/errors/index.ts";
import type { Queryable } from "../../platform/postgres/port.ts";
import {
  isStorable,
  isUuid,
  normalizeEmail,
  parseNewEmail,
  parseUserId,
  parseUsername,
  randomUsername,
  usernameBase,
  usernameCandidates,
} from "../identifiers/index.ts";
import type { CallContext } from "../platform.ts";
import { announce } from "../sessions/index.ts";
import { decideAccess } from "./access.ts";
import type { UserCapability } from "./capability.ts";
import { mappingConflicts } from "./conflicts.ts";
import type { UserAvailability, UserOperations } from "./operations.ts";
import { userStore } from "./store.ts";
import type { NewUser, UserRow, Users } from "./types.ts";

/** As given, where nothing is checked; the empty text is none. Throws `invalid_request` for what cannot be stored. */
function verbatim(text: string): string | null {
  if (!isStorable(text)) throw new AuthError("invalid_request");
  return text === "" ? null : text;
}

/** Whether the account is an operator's placeholder, which can never be used. Only the JSON boolean counts. */
export function isReserved(user: Pick<UserRow, "metadata">): boolean {
  return user.metadata["reserved"] === true;
}

/** Finding, creating and admitting accounts. */
export function createLookup(
  capability: UserCapability,
): Users & UserAvailability & Pick<UserOperations, "createByOperator"> {
  const { config, database, clock, random, audit, feed, log } = capability;

  async function found(read: Promise<UserRow | undefined>): Promise<UserRow> {
    const user = await read;
    if (user === undefined) throw new AuthError("user_not_found");
    return user;
  }

  async function insert(user: NewUser, on: Queryable): Promise<UserRow> {
    return mappingConflicts(async () => {
      const row = await userStore.insert(on, random.uuid(), user, clock.now());
      if (row === undefined) throw new Error("the insert returned no account");
      return row;
    });
  }

  async function clearLapsedBan(userId: string, on: Queryable = database): Promise<boolean> {
    const cleared = await userStore.clearLapsedBans(on, [userId], clock.now());
    if (cleared.length > 0) await announce(log, [() => feed.readmitUser(userId)]);
    return cleared.length > 0;
  }

  async function admitRow(user: UserRow): Promise<UserRow> {
    const decision = decideAccess({ ...user, reserved: isReserved(user) }, clock.now());
    if (decision === "refused") throw new AuthError("user_banned");
    if (decision === "admitted") return user;
    await clearLapsedBan(user.id);
    // Read again: somebody may have banned anew in the meantime.
    const current = await found(userStore.byId(database, user.id));
    if (decideAccess({ ...current, reserved: isReserved(current) }, clock.now()) !== "admitted")
      throw new AuthError("user_banned");
    return current;
  }

  return {
    byId: async (id) => (isUuid(id) ? userStore.byId(database, id) : undefined),
    byEmail: async (email) => {
      const normal = normalizeEmail(email);
      return isStorable(normal) ? userStore.byEmail(database, normal) : undefined;
    },
    byUsername: async (username) =>
      isStorable(username) ? userStore.byUsername(database, username) : undefined,
    byPhone: async (phone) => (isStorable(phone) ? userStore.byPhone(database, phone) : undefined),
    byIds: async (ids) => (ids.length === 0 ? [] : userStore.byIds(database, ids.map(parseUserId))),

    create: insert,

    async createByOperator(email, username, context: CallContext) {
      const unchecked = config.registration.uncheckedCreateUser;
      const user: NewUser = {
        email: unchecked ? verbatim(email.toLowerCase()) : email.trim() === "" ? null : parseNewEmail(email),
        phoneNumber: null,
        username: unchecked
          ? verbatim(username)
          : username.trim() === ""
            ? null
            : parseUsername(username, "operator"),
        emailVerified: false,
        phoneVerified: false,
        preferredLanguage: null,
        passwordHash: null,
      };
      return database.transaction(async (tx) => {
        const row = await insert(user, tx);
        await audit.record({ action: "user.created", target: `user:${row.id}`, outcome: "ok" }, context, tx);
        return row;
      });
    },

    async admit(userId) {
      if (!isUuid(userId)) throw new AuthError("user_not_found");
      return admitRow(await found(userStore.byId(database, userId)));
    },
    admitRow,
    clearLapsedBan,

    async touchLogin(userId) {
      await userStore.touchLogin(database, userId, clock.now());
    },

    async setEmailVerified(userId, verified, tx) {
      await userStore.setEmailVerified(tx ?? database, parseUserId(userId), verified, clock.now());
    },

    async setPhoneVerified(userId, phone, tx) {
      return (await userStore.setPhoneVerified(tx ?? database, parseUserId(userId), phone)) === 1;
    },

    async taken({ email = null, phone = null, username = null }, except) {
      const texts = [email, phone, username];
      if (texts.some((text) => text !== null && !isStorable(text))) throw new AuthError("invalid_request");
      const normal = email === null ? null : normalizeEmail(email);
      const row = await userStore.taken(database, normal, phone, username, except ?? null);
      return row ?? { email: false, phone: false, username: false };
    },

    async freeUsername(source) {
      const base = usernameBase(source);
      const reserved = new Set(config.registration.reservedUsernames.map((name) => name.toLowerCase()));
      const candidates = usernameCandidates(base).filter((name) => !reserved.has(name));
      const used = await userStore.takenUsernames(database, candidates);
      return candidates.find((name) => !used.has(name)) ?? randomUsername(base, random);
    },
  };
}
