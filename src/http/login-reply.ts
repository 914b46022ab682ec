import type { LoginOutcome, OfferedFactor } from "../core/login/types.ts";
import type { OfferedSecondFactor } from "../core/mfa/index.ts";
import type { EnrollmentHandOff, TokenGrant } from "../core/sessions/types.ts";

/** Members of a token pair on the wire. */
export function tokenMembers(
  grant: Pick<TokenGrant, "accessToken" | "refreshToken" | "expiresIn">,
): Record<string, unknown> {
  return {
    access_token: grant.accessToken,
    token_type: "Bearer",
    expires_in: grant.expiresIn,
    refresh_token: grant.refreshToken,
  };
}

/** Members of the hand-off of an account that has to enrol a second factor first. */
export function enrollmentMembers(handOff: EnrollmentHandOff): Record<string, unknown> {
  return {
    error: "2fa_enrollment_required",
    requires_2fa_enrollment: true,
    allowed_methods: handOff.allowedMethods,
    access_token: handOff.accessToken,
    token_type: "Bearer",
    expires_in: handOff.expiresIn,
  };
}

/** A second factor as it is offered at a login. */
export function factorMembers(factor: OfferedFactor): Record<string, unknown> {
  return {
    ...(factor.id === "" ? {} : { id: factor.id }),
    method: factor.method,
    ...(factor.isDefault ? { is_default: true } : {}),
    ...(factor.phoneNumber === null ? {} : { phone_number: factor.phoneNumber }),
  };
}

/** Members with which a client finishes at `/2fa/verify`, after `/2fa/challenge` has sent a code. */
export function offeredMembers(offer: OfferedSecondFactor): Record<string, unknown> {
  return {
    requires_2fa: true,
    user_id: offer.userId,
    challenge: offer.challenge,
    default_factor: factorMembers(offer.defaultFactor),
    available_factors: offer.availableFactors.map(factorMembers),
  };
}

/** The 200 body of whatever a login came to. */
export function loginMembers(outcome: LoginOutcome): Record<string, unknown> {
  switch (outcome.kind) {
    case "granted":
      return tokenMembers(outcome);
    case "enrollment_required":
      return enrollmentMembers(outcome);
    case "verification_required":
      return { requires_verification: true, identifier: outcome.identifier, channel: outcome.channel };
    case "second_factor_required":
      return {
        ...offeredMembers(outcome),
        method: outcome.method,
        verification_id: outcome.verificationId,
        ...(outcome.deliveryFailed === true ? { delivery_failed: true } : {}),
      };
  }
}
