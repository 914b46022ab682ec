import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { MessageKind, Messages } from "../messages/types.ts";
import type { CallContext } from "../platform.ts";
import { deliveryFailure } from "../verification/messages.ts";
import { type CodeTarget, type FactorCodes, factorCodeTtl } from "./factor-codes.ts";

/** Makes a code for a target and queues the message that carries it. */
export interface CodeDelivery {
  /** Throws `email_delivery_failed` / `sms_delivery_failed`, `2fa_send_failed` (no sender any more), `service_unavailable`. */
  send(
    kind: Extract<MessageKind, "login_code" | "two_factor_setup">,
    codes: FactorCodes,
    owner: string,
    target: CodeTarget,
    to: { readonly language: string; readonly username: string | undefined },
  ): Promise<void>;
}

export function createCodeDelivery(messages: Pick<Messages, "send">): CodeDelivery {
  return {
    async send(kind, codes, owner, target, to) {
      const code = await codes.issue(owner, target);
      try {
        await messages.send({
          kind,
          channel: target.method,
          to: target.destination,
          language: to.language,
          username: to.username,
          code,
          ttlSeconds: factorCodeTtl,
        });
      } catch (cause) {
        // A factor whose sender was taken away is no failed delivery: trying again will not help.
        if (isAuthError(cause, "email_sender_unavailable") || isAuthError(cause, "sms_unavailable"))
          throw new AuthError("2fa_send_failed", { cause });
        throw deliveryFailure(target.method === "email" ? "email" : "phone", cause);
      }
    },
  };
}

/** Language and name for a message to an account. */
export function addressee(
  user: { readonly preferredLanguage: string | null; readonly username: string | null },
  context: Pick<CallContext, "language">,
): { readonly language: string; readonly username: string | undefined } {
  return { language: user.preferredLanguage ?? context.language, username: user.username ?? undefined };
}
