import { Type } from "typebox";
import type { Config } from "../../config/config.ts";
import { AuthError } from "../../contract/errors/index.ts";
import type { WalletOutput } from "../../core/solana/index.ts";
import { loginMembers } from "../login-reply.ts";
import { requireUser } from "../principals.ts";
import { json, type Route, type RouteContext, route } from "../route.ts";
import { loginBody } from "../schemas.ts";

const enabled = (config: Config): boolean => config.solana.enabled;

const outputBody = Type.Object({
  output: Type.Optional(
    // Names match in any case at every level, which a schema cannot say: see `walletOutput`.
    Type.Unsafe<unknown>({
      type: "object",
      description: "`{account: {address, publicKey?}, signature, signedMessage}`; bytes in base64.",
    }),
  ),
});

/** A member of the wallet's answer by its folded name; unknown members are refused. */
function members(value: unknown, names: readonly string[]): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>();
  if (value === undefined || value === null) return found;
  if (typeof value !== "object" || Array.isArray(value)) throw new AuthError("invalid_request");
  for (const [name, member] of Object.entries(value)) {
    const known = names.find((candidate) => candidate.toLowerCase() === name.toLowerCase());
    if (known === undefined) throw new AuthError("invalid_request");
    if (member !== null) found.set(known, member);
  }
  return found;
}

/** Absent members are empty texts: what is missing fails where it is needed. */
function text(of: ReadonlyMap<string, unknown>, name: string): string {
  const value = of.get(name) ?? "";
  if (typeof value !== "string") throw new AuthError("invalid_request");
  return value;
}

function walletOutput(value: unknown): WalletOutput {
  const output = members(value, ["account", "signature", "signedMessage"]);
  const account = members(output.get("account"), ["address", "publicKey"]);
  return {
    address: text(account, "address"),
    publicKey: text(account, "publicKey"),
    signature: text(output, "signature"),
    signedMessage: text(output, "signedMessage"),
  };
}

/** The account a challenge for linking is bound to. */
async function linkTarget(context: RouteContext, purpose: string | undefined): Promise<string | undefined> {
  if (purpose === undefined || purpose === "" || purpose === "login") return undefined;
  if (purpose !== "link") throw new AuthError("invalid_request");
  const principal = await context.core.authenticator.authenticate(context.request.header("authorization"));
  if (principal.kind !== "user") throw new AuthError("authentication_required");
  return principal.userId;
}

const answerErrors = [
  "invalid_request",
  "invalid_signature_encoding",
  "invalid_message_encoding",
  "address_mismatch",
  "challenge_expired",
  "invalid_signature",
  "authentication_failed",
  "rate_limited",
] as const;

export const solanaRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/solana/challenge",
    group: "auth",
    since: "0.73",
    auth: "none",
    limit: "auth_solana_challenge",
    summary: "A message for a Solana wallet to sign.",
    enabled,
    body: Type.Object({
      address: Type.Optional(Type.String({ description: "Base58 address of the wallet." })),
      username: Type.Optional(Type.String({ description: "Wanted name, should the wallet be new." })),
      chain_id: Type.Optional(Type.String({ description: "Ignored: the deployment decides." })),
      account_invite_token: Type.Optional(
        Type.String({ description: "Account invite, where accounts need one." }),
      ),
      purpose: Type.Optional(
        Type.String({ description: "`link` binds the challenge to the signed-in account." }),
      ),
    }),
    replies: {
      200: Type.Object({ nonce: Type.String(), issued_at: Type.String(), message: Type.String() }),
    },
    errors: [
      "invalid_request",
      "address_required",
      "invalid_address",
      "username_too_short",
      "username_too_long",
      "username_must_start_with_letter",
      "username_cannot_contain_at",
      "username_invalid_characters",
      "username_not_allowed",
      "authentication_required",
      "missing_token",
      "invalid_token",
      "token_expired",
      "token_revoked",
      "user_disabled",
      "rate_limited",
      "challenge_failed",
    ],
    failure: "challenge_failed",
    async handle(context, { body }) {
      const { nonce, issuedAt, message } = await context.core.solana.challenge({
        address: body.address ?? "",
        username: body.username,
        inviteToken: body.account_invite_token,
        linkTo: await linkTarget(context, body.purpose),
      });
      return json(200, { nonce, issued_at: issuedAt, message });
    },
  }),
  route({
    method: "POST",
    path: "/solana/login",
    group: "auth",
    since: "0.73",
    auth: "none",
    limit: "auth_solana_login",
    summary: "Sign in with a signed challenge; a wallet nobody has linked gets a new account.",
    enabled,
    body: outputBody,
    replies: { 200: loginBody },
    errors: [
      ...answerErrors,
      "user_banned",
      "registration_disabled",
      "2fa_send_failed",
      "2fa_challenge_failed",
      "session_creation_failed",
      "token_issue_failed",
    ],
    failure: "session_creation_failed",
    async handle(context, { body }) {
      const login = await context.core.solana.login(walletOutput(body.output), context);
      const { outcome, created, userId, address } = login;
      const more =
        outcome.kind === "granted" ? { created, user: { id: userId, solana_address: address } } : {};
      return json(200, { ...loginMembers(outcome), ...more });
    },
  }),
  route({
    method: "POST",
    path: "/solana/link",
    group: "account",
    since: "0.73",
    auth: "required",
    limit: "auth_solana_link",
    before(context) {
      requireUser(context, "authentication_required");
      return undefined;
    },
    summary: "Link a wallet to the account, in place of a former one.",
    enabled,
    body: outputBody,
    replies: {
      200: Type.Object({
        success: Type.Literal(true),
        message: Type.String(),
        solana_address: Type.String(),
      }),
    },
    errors: [
      ...answerErrors,
      "authentication_required",
      "wallet_already_linked",
      "step_up_required",
      "link_failed",
    ],
    failure: "link_failed",
    async handle(context, { body }) {
      const user = requireUser(context, "authentication_required");
      const address = await context.core.solana.link(user, walletOutput(body.output), context);
      return json(200, {
        success: true,
        message: "Solana wallet linked successfully",
        solana_address: address,
      });
    },
  }),
];
