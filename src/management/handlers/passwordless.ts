import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { ProvenPasswordless } from "../../core/passwordless/index.ts";
import type { HandlerFactory } from "./index.ts";

/** These two never fail: a text that is no contact has no counter. */
function ignoreMalformed(error: unknown): void {
  const malformed = ["invalid_token", "invalid_email", "invalid_phone_number"] as const;
  if (!malformed.some((code) => isAuthError(error, code))) throw error;
}

const inviteRefusals = [
  "account_registration_invite_consumed",
  "account_registration_invite_expired",
  "account_registration_invite_revoked",
] as const;

/** A trusted caller may know that it was the invite which failed; everything else is a token that is none. */
function refuse(error: unknown): never {
  if (!isAuthError(error, "invalid_or_expired_code")) throw error;
  if (!isAuthError(error.cause, "registration_disabled"))
    throw new AuthError("invalid_token", { cause: error });
  const { cause } = error.cause;
  const known = inviteRefusals.find((code) => isAuthError(cause, code));
  throw new AuthError(known ?? "account_registration_invite_not_found", { cause: error });
}

/** Codes and links that a trusted caller asks for and redeems, counting the wrong guesses itself. */
export const passwordlessHandlers: HandlerFactory = ({ passwordless }) => {
  const confirmed = ({ user, channel, returnTo }: ProvenPasswordless) => ({
    userId: user.id,
    method: channel === "email" ? "passwordless_email" : "passwordless_sms",
    returnTo,
  });
  return {
    startPasswordless: async ({ req }, { callContext }) => {
      const { identifier, mode, returnTo, preferredLanguage, accountInviteToken: inviteToken } = req;
      const input = { identifier, mode, returnTo, preferredLanguage, inviteToken };
      const { channel, issued } = await passwordless.issue(input, callContext);
      return {
        sent: issued !== undefined,
        channel: channel === "email" ? "email" : "sms",
        code: issued?.code ?? "",
        linkUrl: issued?.link ?? "",
      };
    },
    confirmPasswordlessCode: async ({ identifier, code }, { callContext }) => {
      const proof = passwordless.proveCode(identifier, code, callContext, { uncounted: true });
      return confirmed(await proof.catch(refuse));
    },
    confirmPasswordlessToken: async ({ token }, { callContext }) =>
      confirmed(await passwordless.proveToken(token, callContext).catch(refuse)),
    recordFailedPasswordlessCode: async ({ identifier }) => {
      await passwordless.recordFailure(identifier).catch(ignoreMalformed);
    },
    clearPasswordlessCodeAttempts: async ({ identifier }) => {
      await passwordless.clearFailures(identifier).catch(ignoreMalformed);
    },
  };
};
