import { AuthError } from "../../contract/errors/index.ts";
import { isStorable, isStorableJson, parseLanguage, parseUserId } from "../identifiers/index.ts";
import { announce } from "../sessions/index.ts";
import type { UserCapability } from "./capability.ts";
import type { UserProfiles } from "./operations.ts";
import { profileStore } from "./profile-store.ts";
import { userStore } from "./store.ts";

/** Of metadata, written by the account itself and by an operator. */
const maxMetadataBytes = { own: 16 * 1024, operator: 64 * 1024 } as const;
const maxBiography = 2000;
const maxAvatarUrlBytes = 2048;

/** Trimmed and cut at 2000 code points, never inside a character. */
export function cutBiography(text: string): string {
  const trimmed = text.trim();
  if (trimmed.length <= maxBiography) return trimmed;
  return [...trimmed].slice(0, maxBiography).join("");
}

/** What an account says of itself, and what the host keeps with it. */
export function createProfiles(capability: UserCapability): UserProfiles {
  const { database, clock, audit, sessions, feed, log } = capability;

  return {
    async metadata(userId) {
      const metadata = await profileStore.metadata(database, parseUserId(userId));
      if (metadata === undefined) throw new AuthError("user_not_found");
      return metadata;
    },

    async patchMetadata(userId, patch, context, { own = false } = {}) {
      const id = parseUserId(userId);
      const entries = Object.entries(patch);
      if (entries.length === 0) return undefined;
      if (!isStorableJson(JSON.stringify(patch))) throw new AuthError("invalid_request");
      const removed = own ? entries.filter(([, value]) => value === null).map(([key]) => key) : [];
      const merged = Object.fromEntries(entries.filter(([key]) => !removed.includes(key)));
      return database.transaction(async (tx) => {
        const before = await userStore.lock(tx, id);
        if (before === undefined) throw new AuthError("user_not_found");
        const after = await profileStore.patchMetadata(
          tx,
          id,
          merged,
          removed,
          clock.now(),
          own ? maxMetadataBytes.own : maxMetadataBytes.operator,
        );
        if (after === undefined) throw new AuthError("invalid_request");
        const was = before.metadata["reserved"] === true;
        const is = after["reserved"] === true;
        if (is && !was) {
          await sessions.all(id, "user_disabled", { tx });
          tx.afterCommit(() => announce(log, [() => feed.revokeUser(id)]));
        } else if (was && !is) {
          tx.afterCommit(() => announce(log, [() => feed.readmitUser(id)]));
        }
        const details = { keys: entries.map(([key]) => key), reserved: is };
        await audit.record(
          { action: "user.metadata_changed", target: `user:${id}`, outcome: "ok", details },
          context,
          tx,
        );
        return after;
      });
    },

    async setBiography(userId, biography) {
      const characters = biography === null || biography.length <= maxBiography ? 0 : [...biography].length;
      if (characters > maxBiography || (biography !== null && !isStorable(biography)))
        throw new AuthError("invalid_request");
      return (await profileStore.setBiography(database, parseUserId(userId), biography, clock.now())) > 0;
    },

    async setOwnBiography(userId, biography) {
      const text = biography === null ? null : cutBiography(biography);
      if (text !== null && !isStorable(text)) throw new AuthError("invalid_request");
      return (await profileStore.setBiography(database, parseUserId(userId), text, clock.now())) > 0;
    },

    async setAvatarUrl(userId, avatarUrl) {
      const url = avatarUrl?.trim() || null;
      if (url !== null && (Buffer.byteLength(url) > maxAvatarUrlBytes || /[\r\n\u0000]/.test(url)))
        throw new AuthError("avatar_url_invalid");
      if ((await profileStore.setAvatarUrl(database, parseUserId(userId), url, clock.now())) === 0)
        throw new AuthError("user_not_found");
    },

    async setPreferredLanguage(userId, language, tx) {
      const parsed = parseLanguage(language);
      await profileStore.setPreferredLanguage(tx ?? database, parseUserId(userId), parsed, clock.now());
      return parsed;
    },
  };
}
