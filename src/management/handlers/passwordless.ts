import { isAuthError } from "../../contract/errors/index.ts";
import type { ProvenPasswordless } from "../../core/passwordless/index.ts";
import type { HandlerFactory } from "./index.ts";

/** These two never fail: a text that is no contact has no counter. */
function ignoreMalformed(error: unknown): void {
  if (!isAuthError(error, "invalid_email") && !isAuthError(error, "invalid_phone_number")) throw error;
}

/** Codes and links that a trusted caller delivers itself, and counts the wrong guesses at. */
export const passwordlessHandlers: HandlerFactory = ({ passwordless }) => {
  const confirmed = ({ user, channel, returnTo }: ProvenPasswordless) => ({
    userId: user.id,
    method: channel === "email" ? "passwordless_email" : "passwordless_sms",
    returnTo,
  });
  return {
    startPasswordless: async ({ req }, { callContext }) => {
      const request = passwordless.parse({
        identifier: req.identifier,
        mode: req.mode,
        returnTo: req.returnTo,
        preferredLanguage: req.preferredLanguage,
        inviteToken: req.accountInviteToken,
      });
      const issued = await passwordless.issue(request, callContext);
      return {
        sent: issued !== undefined,
        channel: request.channel === "email" ? "email" : "sms",
        code: issued?.code ?? "",
        linkUrl: issued?.link ?? "",
      };
    },
    confirmPasswordlessCode: async ({ identifier, code }, { callContext }) =>
      confirmed(await passwordless.proveCode(identifier, code, callContext, { uncounted: true })),
    confirmPasswordlessToken: async ({ token }, { callContext }) =>
      confirmed(await passwordless.proveToken(token, callContext)),
    recordFailedPasswordlessCode: async ({ identifier }) => {
      await passwordless.recordFailure(identifier).catch(ignoreMalformed);
    },
    clearPasswordlessCodeAttempts: async ({ identifier }) => {
      await passwordless.clearFailures(identifier).catch(ignoreMalformed);
    },
  };
};
