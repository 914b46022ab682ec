import { Type } from "typebox";
import type { Config } from "../../config/config.ts";
import type { Passkey } from "../../core/passkeys/index.ts";
import { loginMembers } from "../login-reply.ts";
import { requireUser } from "../principals.ts";
import { json, type Route, type RouteContext, route } from "../route.ts";
import { loginBody, okBody } from "../schemas.ts";

const enabled = (config: Config): boolean => config.passkeys.rpId !== "";

const passkeyBody = Type.Object(
  {
    id: Type.String(),
    user_id: Type.String(),
    label: Type.Optional(Type.String()),
    transports: Type.Optional(Type.Array(Type.String())),
    authenticator_attachment: Type.Optional(Type.String()),
    backup_eligible: Type.Boolean(),
    backup_state: Type.Boolean(),
    created_at: Type.String(),
    last_used_at: Type.Optional(Type.String()),
  },
  { $id: "Passkey" },
);

const optionsBody = Type.Object({
  publicKey: Type.Unsafe<unknown>({
    type: "object",
    description: "Options for `navigator.credentials`, in the JSON form of WebAuthn Level 3.",
  }),
});

const unexamined = Type.Optional(Type.Unknown());

// The members are the browser's: what is wrong with them is a failed ceremony, not a malformed request.
const credentialBody = Type.Object({
  id: unexamined,
  rawId: unexamined,
  type: unexamined,
  authenticatorAttachment: unexamined,
  clientExtensionResults: unexamined,
  response: unexamined,
});

const signedInErrors = ["unauthorized", "rate_limited"] as const;

function onlyUsers(context: RouteContext): undefined {
  requireUser(context);
}

/** Changes of passkeys need a fresh authentication; a password in the request is no substitute. */
async function freshUsers(context: RouteContext): Promise<undefined> {
  await context.core.sensitiveGate.require(requireUser(context), undefined, context);
}

function passkeyMembers(passkey: Passkey): Record<string, unknown> {
  return {
    id: passkey.id,
    user_id: passkey.userId,
    ...(passkey.label === null ? {} : { label: passkey.label }),
    ...(passkey.transports.length === 0 ? {} : { transports: passkey.transports }),
    ...(passkey.authenticatorAttachment === ""
      ? {}
      : { authenticator_attachment: passkey.authenticatorAttachment }),
    backup_eligible: passkey.backupEligible,
    backup_state: passkey.backupState,
    created_at: passkey.createdAt.toISOString(),
    ...(passkey.lastUsedAt === null ? {} : { last_used_at: passkey.lastUsedAt.toISOString() }),
  };
}

export const passkeyRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/passkeys/login/begin",
    group: "auth",
    since: "0.73",
    auth: "none",
    limit: "auth_passkey_login",
    summary: "Options for signing in with a passkey; the same for everybody.",
    enabled,
    body: Type.Object({
      login: Type.Optional(Type.String({ description: "Only counted: the answer does not depend on it." })),
      email: Type.Optional(Type.String()),
    }),
    bodyMode: "lenient",
    replies: { 200: optionsBody },
    errors: ["rate_limited", "passkey_failed"],
    failure: "passkey_failed",
    async handle(context, { body }) {
      const identifier = (body.login ?? "").trim() || (body.email ?? "").trim();
      await context.limit("auth_passkey_login", identifier);
      return json(200, { publicKey: await context.core.passkeys.beginLogin() });
    },
  }),
  route({
    method: "POST",
    path: "/passkeys/login/finish",
    group: "auth",
    since: "0.73",
    auth: "none",
    limit: "auth_passkey_login",
    summary: "Sign in with the browser's assertion.",
    enabled,
    body: credentialBody,
    bodyMode: "open",
    replies: { 200: loginBody },
    errors: ["invalid_request", "invalid_credentials", "rate_limited", "token_issue_failed"],
    failure: "token_issue_failed",
    async handle(context, { body }) {
      return json(200, loginMembers(await context.core.passkeys.finishLogin(body, context)));
    },
  }),
  route({
    method: "POST",
    path: "/passkeys/register/begin",
    group: "account",
    since: "0.73",
    auth: "required",
    limit: "auth_passkey_register",
    before: freshUsers,
    summary: "Options for making a passkey.",
    enabled,
    replies: { 200: optionsBody },
    errors: [...signedInErrors, "step_up_required", "passkey_limit_reached", "passkey_failed"],
    failure: "passkey_failed",
    async handle(context) {
      const options = await context.core.passkeys.beginRegistration(requireUser(context));
      return json(200, { publicKey: options });
    },
  }),
  route({
    method: "POST",
    path: "/passkeys/register/finish",
    group: "account",
    since: "0.73",
    auth: "required",
    limit: "auth_passkey_register",
    before: freshUsers,
    summary: "Register the credential the browser made.",
    enabled,
    body: credentialBody,
    bodyMode: "open",
    replies: { 200: passkeyBody },
    errors: [
      ...signedInErrors,
      "invalid_request",
      "step_up_required",
      "passkey_already_registered",
      "passkey_limit_reached",
      "passkey_failed",
    ],
    failure: "passkey_failed",
    async handle(context, { body }) {
      const user = requireUser(context);
      return json(200, passkeyMembers(await context.core.passkeys.finishRegistration(user, body, context)));
    },
  }),
  route({
    method: "GET",
    path: "/passkeys",
    group: "account",
    since: "0.73",
    auth: "required",
    limit: "auth_passkeys",
    before: onlyUsers,
    summary: "The account's passkeys, oldest first.",
    enabled,
    replies: { 200: Type.Object({ passkeys: Type.Array(passkeyBody) }) },
    errors: [...signedInErrors, "passkey_failed"],
    failure: "passkey_failed",
    async handle(context) {
      const passkeys = await context.core.passkeys.list(requireUser(context).userId);
      return json(200, { passkeys: passkeys.map(passkeyMembers) });
    },
  }),
  route({
    method: "PATCH",
    path: "/passkeys/{id}",
    group: "account",
    since: "0.73",
    auth: "required",
    limit: "auth_passkeys",
    before: freshUsers,
    summary: "Name a passkey; an absent or blank label clears the name.",
    enabled,
    body: Type.Object({ label: Type.Optional(Type.String({ description: "At most 100 characters." })) }),
    replies: { 200: okBody },
    errors: [...signedInErrors, "invalid_request", "step_up_required", "not_found", "passkey_failed"],
    failure: "passkey_failed",
    async handle(context, { body, params }) {
      const { userId } = requireUser(context);
      await context.core.passkeys.rename(userId, params["id"] ?? "", body.label ?? "", context);
      return json(200, { ok: true });
    },
  }),
  route({
    method: "DELETE",
    path: "/passkeys/{id}",
    group: "account",
    since: "0.73",
    auth: "required",
    limit: "auth_passkeys",
    before: freshUsers,
    summary: "Remove a passkey; sessions it opened stay.",
    enabled,
    replies: { 200: okBody },
    errors: [
      ...signedInErrors,
      "step_up_required",
      "not_found",
      "cannot_unlink_last_login_method",
      "passkey_failed",
    ],
    failure: "passkey_failed",
    async handle(context, { params }) {
      await context.core.passkeys.remove(requireUser(context).userId, params["id"] ?? "", context);
      return json(200, { ok: true });
    },
  }),
];
