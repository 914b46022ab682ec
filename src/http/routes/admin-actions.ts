import { Type } from "typebox";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { MadeKey } from "../../core/api-keys/index.ts";
import { isUuid, parseNewEmail, parseNewPhone } from "../../core/identifiers/index.ts";
import type { AdminUser, RecoveryContact } from "../../core/users/index.ts";
import { requireUser } from "../principals.ts";
import { json, type Route, type RouteContext, route } from "../route.ts";
import { okBody } from "../schemas.ts";
import { target } from "./admin-users.ts";

const okUser = Type.Object({ ok: Type.Literal(true), user_id: Type.String() });
const bannedUser = Type.Object({
  ok: Type.Literal(true),
  user_id: Type.String(),
  api_keys: Type.Optional(
    Type.Array(
      Type.Object({
        id: Type.String(),
        key_id: Type.String(),
        name: Type.String(),
        persona: Type.String(),
        instance_slug: Type.String(),
      }),
      {
        description:
          "The keys this account has made. They are machines' and go on working; absent when there are none.",
      },
    ),
  ),
});

function madeKey({ id, keyId, name, persona, instanceSlug }: MadeKey) {
  return { id, key_id: keyId, name, persona, instance_slug: instanceSlug };
}

const endsAll = "auth_admin_user_sessions_revoke_all";
const owner = "owner";

type PathValues = Readonly<Record<string, string>>;

/** Whoever is no owner of the deployment cannot take an owner down, and nobody takes himself down by mistake: `forbidden`. */
async function assertSubordinate(context: RouteContext, user: AdminUser): Promise<void> {
  const caller = context.principal;
  if (caller?.kind === "user" && caller.userId === user.id) throw new AuthError("forbidden");
  if (user.roles.includes(owner)) {
    const own = caller?.kind === "user" ? await context.core.users.adminById(caller.userId) : undefined;
    if (own?.roles.includes(owner) !== true) throw new AuthError("forbidden");
  }
}

/**
 * Acts on the account of the path. For an id nobody has, the contract answers as if it had been done; with strict statuses it is
 * `not_found`, as a text that is no id always is. Returns the account's id.
 */
async function onTarget(
  context: RouteContext,
  params: PathValues,
  act: (user: AdminUser) => Promise<unknown>,
): Promise<string> {
  const id = params["user_id"] ?? "";
  let user: AdminUser;
  try {
    user = await target(context, params);
  } catch (error) {
    if (isAuthError(error, "not_found") && isUuid(id) && !context.config.strictStatus)
      return id.toLowerCase();
    throw error;
  }
  await act(user);
  return user.id;
}

function parseUntil(value: string | undefined, now: number): Date | null {
  const text = (value ?? "").trim();
  if (text.toLowerCase() === "infinite") return null;
  const rfc3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;
  const at = rfc3339.test(text) ? new Date(text) : new Date(Number.NaN);
  if (Number.isNaN(at.getTime()) || at.getTime() <= now) throw new AuthError("invalid_until");
  return at;
}

function recoveryContact(email: string, phone: string): RecoveryContact {
  if ((email === "") === (phone === "")) throw new AuthError("invalid_request");
  return email === "" ? { phone: parseNewPhone(phone) } : { email: parseNewEmail(email) };
}

export const adminActionRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/admin/users/{user_id}/ban",
    sensitive: true,
    group: "admin",
    since: "0.73",
    auth: { rootPermission: "root:users:ban" },
    limit: { deferred: endsAll },
    summary: "Ban an account until a moment or `infinite`; its sessions end.",
    body: Type.Object({
      reason: Type.Optional(Type.String()),
      until: Type.Optional(Type.String()),
    }),
    bodyMode: "optional",
    replies: { 200: bannedUser },
    errors: [
      "forbidden",
      "rate_limited",
      "unauthorized",
      "invalid_request",
      "invalid_until",
      "not_found",
      "cannot_remove_last_owner",
      "failed_to_ban",
    ],
    failure: "failed_to_ban",
    async handle(context, { body, params }) {
      await context.limitIp(endsAll);
      const machine = context.config.machinesMayBan && context.principal?.kind !== "user";
      const bannedBy = machine ? null : requireUser(context).userId;
      const until = parseUntil(body.until, context.core.clock.millis());
      const reason = (body.reason ?? "").trim();
      const id = await onTarget(context, params, async (user) => {
        await assertSubordinate(context, user);
        await context.core.users.ban(
          { userId: user.id, reason: reason === "" ? null : reason, until, bannedBy },
          context,
          { ownerGuard: "cannot_remove_last_owner" },
        );
      });
      const keys = isUuid(id) ? await context.core.apiKeys.madeBy(id) : [];
      return json(200, {
        ok: true,
        user_id: id,
        ...(keys.length === 0 ? {} : { api_keys: keys.map(madeKey) }),
      });
    },
  }),
  route({
    method: "POST",
    path: "/admin/users/{user_id}/unban",
    sensitive: true,
    group: "admin",
    since: "0.73",
    auth: { rootPermission: "root:users:ban" },
    limit: endsAll,
    summary: "End a ban. No session comes back.",
    replies: { 200: okUser },
    errors: ["forbidden", "rate_limited", "not_found", "failed_to_unban"],
    failure: "failed_to_unban",
    async handle(context, { params }) {
      const id = await onTarget(context, params, (user) => context.core.users.unban(user.id, context));
      return json(200, { ok: true, user_id: id });
    },
  }),
  route({
    method: "DELETE",
    path: "/admin/users/{user_id}",
    sensitive: true,
    group: "admin",
    since: "0.73",
    auth: { rootPermission: "root:users:delete" },
    limit: endsAll,
    summary: "Delete an account; it can be restored until it is purged.",
    replies: { 200: okBody },
    errors: ["forbidden", "rate_limited", "not_found", "cannot_remove_last_owner", "failed_to_delete"],
    failure: "failed_to_delete",
    async handle(context, { params }) {
      await onTarget(context, params, async (user) => {
        await assertSubordinate(context, user);
        await context.core.users.softDelete(user.id, context, { ownerGuard: "cannot_remove_last_owner" });
      });
      return json(200, { ok: true });
    },
  }),
  route({
    method: "POST",
    path: "/admin/users/{user_id}/restore",
    sensitive: true,
    group: "admin",
    since: "0.73",
    auth: { rootPermission: "root:users:delete" },
    limit: endsAll,
    summary: "Bring a deleted account back. A ban stays.",
    replies: { 200: okUser },
    errors: ["forbidden", "rate_limited", "not_found", "failed_to_restore_user"],
    failure: "failed_to_restore_user",
    async handle(context, { params }) {
      const id = await onTarget(context, params, (user) => context.core.users.restore(user.id, context));
      return json(200, { ok: true, user_id: id });
    },
  }),
  route({
    method: "POST",
    path: "/admin/users/{user_id}/sessions/revoke",
    sensitive: true,
    group: "admin",
    since: "0.73",
    auth: { rootPermission: "root:users:recover" },
    limit: endsAll,
    summary: "End every session of an account.",
    replies: { 200: okBody },
    errors: ["forbidden", "rate_limited", "not_found", "failed_to_revoke_sessions"],
    failure: "failed_to_revoke_sessions",
    async handle(context, { params }) {
      await onTarget(context, params, (user) =>
        context.core.sessions.revokeAll(user.id, "admin_revoke_all", context),
      );
      return json(200, { ok: true });
    },
  }),
  route({
    method: "POST",
    path: "/admin/users/{user_id}/recover",
    sensitive: true,
    group: "admin",
    since: "0.73",
    auth: { rootPermission: "root:users:recover" },
    limit: { deferred: "auth_admin_password_reset" },
    summary:
      "Take an account back from whoever took it over: everything that signs it in goes, a new contact gets a reset link.",
    body: Type.Object({
      email: Type.Optional(Type.String()),
      phone_number: Type.Optional(Type.String()),
    }),
    replies: { 200: okUser },
    errors: [
      "forbidden",
      "rate_limited",
      "invalid_request",
      "invalid_email",
      "invalid_phone_number",
      "email_sender_unavailable",
      "sms_unavailable",
      "email_in_use",
      "phone_in_use",
      "not_found",
      "user_recover_failed",
      "email_delivery_failed",
      "sms_delivery_failed",
    ],
    failure: "user_recover_failed",
    async handle(context, { body, params }) {
      const { core } = context;
      const email = (body.email ?? "").trim();
      const phone = (body.phone_number ?? "").trim();
      if ((email === "") === (phone === "")) throw new AuthError("invalid_request");
      await context.limitIp("auth_admin_password_reset");
      const contact = recoveryContact(email, phone);
      const channel = email === "" ? "phone" : "email";
      if (!core.messages.available(channel === "email" ? "email" : "sms"))
        throw new AuthError(channel === "email" ? "email_sender_unavailable" : "sms_unavailable");
      // A contact somebody else has is refused before the account is looked for.
      const asked = params["user_id"] ?? "";
      const held = await core.users.taken(contact, isUuid(asked) ? asked : undefined);
      if (held.email) throw new AuthError("email_in_use");
      if (held.phone) throw new AuthError("phone_in_use");
      const found = await target(context, params);
      await assertSubordinate(context, found);
      const { id } = found;
      const user = await core.users.recover(id, contact, context);
      // What the intruder had begun must not be finished against the recovered account.
      await Promise.all([
        core.contactChanges.cancel(id, "email"),
        core.contactChanges.cancel(id, "phone"),
        core.passwordReset.cancel(id),
      ]);
      await core.passwordReset.send(user, channel, context);
      return json(200, { ok: true, user_id: id });
    },
  }),
];
