import { failingAs, isAuthError } from "../../contract/errors/index.ts";
import type { Limits } from "../limits/index.ts";
import type { VerificationGate, VerificationRequired } from "../login/types.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { UserRow } from "../users/types.ts";
import type { ContactChannel, ContactMessages } from "./messages.ts";
import { type ContactProofs, contactOf, isVerified } from "./proofs.ts";

export interface GateParts {
  readonly proofs: ContactProofs;
  readonly messages: ContactMessages;
  readonly limits: Limits;
}

/** True when the bucket lets another message to this address pass; a refusal only means that the last one still has to do. */
export async function mayMessage(limits: Limits, bucket: string, address: string): Promise<boolean> {
  try {
    await limits.check(bucket, { id: address });
    return true;
  } catch (error) {
    if (isAuthError(error, "rate_limited")) return false;
    throw error;
  }
}

/**
 * Holds sign-ins back while the policy is `required` and the account's e-mail address (first) or phone number is not verified. Accounts older
 * than the policy, and channels nothing can be sent over, are let through.
 */
export function createVerificationGate(
  platform: Pick<Platform, "config">,
  parts: GateParts,
): VerificationGate {
  const { proofs, messages, limits } = parts;
  const { verification, verificationExemptBefore } = platform.config.registration;

  async function sendCode(user: UserRow, channel: ContactChannel, context: CallContext): Promise<void> {
    const code = channel === "email" ? "email_verification_failed" : "phone_verification_failed";
    await failingAs(code, () => proofs.start(user, channel, context));
  }

  return {
    async holdBack(user, context): Promise<VerificationRequired | undefined> {
      if (verification !== "required" || user.createdAt < verificationExemptBefore) return undefined;
      for (const channel of ["email", "phone"] as const) {
        const address = contactOf(user, channel);
        if (address === null || isVerified(user, channel) || !messages.available(channel)) continue;
        if (await mayMessage(limits, `auth_${channel}_verify_request`, address))
          await sendCode(user, channel, context);
        return { kind: "verification_required", identifier: address, channel };
      }
      return undefined;
    },
  };
}
