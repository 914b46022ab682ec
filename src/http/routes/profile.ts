import { Type } from "typebox";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { requireUser } from "../principals.ts";
import { json, type Route, type RouteContext, route } from "../route.ts";
import { okBody } from "../schemas.ts";

/** Former contracts of these two routes know one way to fail. */
const metadataReply = Type.Object({ metadata: Type.Object({}, { additionalProperties: true }) });
const metadataKey = /^[\x21-\x7e]{1,128}$/;
/** Ours alone: never shown to, nor set by, the account's owner. */
const internalKey = "reserved";

function visible(metadata: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => key !== internalKey));
}

/** Refuses other principals before their body is looked at. */
function onlyUsers(context: RouteContext): undefined {
  requireUser(context);
}

export const profileRoutes: readonly Route[] = [
  route({
    method: "PATCH",
    path: "/user/username",
    group: "account",
    since: "0.73",
    auth: "required",
    limit: "auth_user_update_username",
    before: onlyUsers,
    summary: "Change the username; once in 72 hours, a change of case at any time.",
    body: Type.Object({ username: Type.Optional(Type.String()) }),
    replies: {
      200: Type.Object({ ok: Type.Literal(true), time_until_rename_available: Type.Integer() }),
    },
    errors: [
      "rate_limited",
      "unauthorized",
      "invalid_request",
      "username_too_short",
      "username_too_long",
      "username_must_start_with_letter",
      "username_invalid_characters",
      "username_cannot_contain_at",
      "username_cannot_start_with_plus",
      "username_not_allowed",
      "owner_slug_taken",
      "rename_rate_limited",
      "failed_to_update_username",
    ],
    failure: "failed_to_update_username",
    async handle(context, { body }) {
      const { userId } = requireUser(context);
      const username = (body.username ?? "").trim();
      if (username === "") throw new AuthError("invalid_request");
      await context.core.users.rename(userId, username, context);
      const { seconds } = await context.core.users.renameAvailability(userId);
      return json(200, { ok: true, time_until_rename_available: seconds });
    },
  }),
  route({
    method: "PATCH",
    path: "/user/preferred-language",
    group: "account",
    since: "0.73",
    auth: "required",
    limit: "auth_user_preferred_language",
    before: onlyUsers,
    summary: "Choose the language of messages, one this deployment has.",
    body: Type.Object({
      preferred_language: Type.Optional(Type.String()),
      language: Type.Optional(Type.String()),
    }),
    replies: { 200: Type.Object({ ok: Type.Literal(true), preferred_language: Type.String() }) },
    errors: [
      "rate_limited",
      "unauthorized",
      "invalid_request",
      "invalid_preferred_language",
      "failed_to_update_preferred_language",
    ],
    failure: "failed_to_update_preferred_language",
    async handle(context, { body }) {
      const { userId } = requireUser(context);
      const asked = (body.preferred_language ?? "").trim() || (body.language ?? "").trim();
      if (asked === "") throw new AuthError("invalid_request");
      const language = asked.toLowerCase();
      if (!context.config.languages.supported.includes(language))
        throw new AuthError("invalid_preferred_language");
      const stored = await context.core.users.setPreferredLanguage(userId, language);
      return json(200, { ok: true, preferred_language: stored });
    },
  }),
  route({
    method: "PATCH",
    path: "/user/biography",
    group: "account",
    since: "0.73",
    auth: "required",
    limit: null,
    before: onlyUsers,
    summary: "Set the biography, at most 2000 characters; null clears it.",
    body: Type.Object({ biography: Type.Optional(Type.Union([Type.String(), Type.Null()])) }),
    replies: { 200: okBody },
    errors: ["unauthorized", "invalid_request", "failed_to_update_biography"],
    failure: "failed_to_update_biography",
    async handle(context, { body }) {
      const { userId } = requireUser(context);
      // An absent member is a mistake of the client, not a wish to clear.
      if (body.biography === undefined) throw new AuthError("invalid_request");
      await context.core.users.setOwnBiography(userId, body.biography);
      return json(200, { ok: true });
    },
  }),
  route({
    method: "GET",
    path: "/user/metadata",
    group: "account",
    since: "0.97",
    auth: "required",
    limit: "auth_user_metadata",
    summary: "The account's own metadata.",
    replies: { 200: metadataReply },
    errors: ["rate_limited", "unauthorized", "user_lookup_failed"],
    failure: "user_lookup_failed",
    async handle(context) {
      const { userId } = requireUser(context);
      return json(200, { metadata: visible(await context.core.users.metadata(userId)) });
    },
  }),
  route({
    method: "PATCH",
    path: "/user/metadata",
    group: "account",
    since: "0.97",
    auth: "required",
    limit: "auth_user_metadata",
    before: onlyUsers,
    summary: "Merge members into the account's metadata; null removes a member. At most 16 KiB in all.",
    body: Type.Object({}, { additionalProperties: true, minProperties: 1 }),
    bodyMode: "open",
    replies: {
      200: Type.Object({
        ok: Type.Literal(true),
        metadata: Type.Object({}, { additionalProperties: true }),
      }),
    },
    errors: ["rate_limited", "unauthorized", "invalid_request", "metadata_key_reserved", "database_error"],
    failure: "database_error",
    async handle(context, { body }) {
      const { userId } = requireUser(context);
      const keys = Object.keys(body);
      if (keys.includes(internalKey)) throw new AuthError("metadata_key_reserved");
      if (keys.length === 0 || !keys.every((key) => metadataKey.test(key)))
        throw new AuthError("invalid_request");
      try {
        const metadata = await context.core.users.patchMetadata(userId, { ...body }, context, {
          own: true,
        });
        return json(200, { ok: true, metadata: visible(metadata ?? {}) });
      } catch (error) {
        throw isAuthError(error, "user_not_found") ? new AuthError("unauthorized") : error;
      }
    },
  }),
];
