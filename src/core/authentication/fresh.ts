import { AuthError } from "../../contract/errors/index.ts";
import type { Principal } from "./principal.ts";

/** Seconds an authentication counts as fresh. */
export const freshSeconds = 900;

const levels: Readonly<Record<string, number>> = { "urn:authkit:loa:1": 1, "urn:authkit:loa:2": 2 };

/** What a sensitive action asks of the presented token. */
export interface FreshnessRule {
  /** Seconds since the epoch. */
  readonly now: number;
  /** Seconds clocks may differ. */
  readonly skew: number;
  /** Seconds; {@link freshSeconds} when not given. */
  readonly maxAge?: number | undefined;
  /** Methods that must all have been used. */
  readonly amr?: readonly string[] | undefined;
  /** Least level of assurance. */
  readonly acr?: string | undefined;
}

function reaches(acr: string | undefined, required: string): boolean {
  if (acr === required) return true;
  return (levels[acr ?? ""] ?? 0) >= (levels[required] ?? Number.POSITIVE_INFINITY);
}

/** Whether the session has taken the second step; with one mailbox for both (`repeat`) that is no second factor to anybody else. */
export function hasSecondFactor(amr: readonly string[]): boolean {
  return amr.includes("otp") || amr.includes("mfa") || amr.includes("repeat");
}

/**
 * Whether the token alone proves a fresh authentication: a user who authenticated within `maxAge`, with a second factor when one is enrolled, and
 * with every method and the level asked for.
 */
export function isFresh(principal: Principal | undefined, rule: FreshnessRule): boolean {
  if (principal?.kind !== "user" || principal.enrollment || principal.authTime === undefined) return false;
  if (rule.amr?.some((method) => !principal.amr.includes(method)) === true) return false;
  if (rule.acr !== undefined && !reaches(principal.acr, rule.acr)) return false;
  if (principal.mfaEnrolled && !hasSecondFactor(principal.amr)) return false;
  const age = rule.now - principal.authTime;
  return age >= -rule.skew && age <= (rule.maxAge ?? freshSeconds);
}

/** What the caller can do to become fresh; goes into the refusal's metadata. */
export interface StepUpOffer {
  readonly methods: readonly string[];
  readonly maxAge?: number | undefined;
  readonly mfaRequired?: boolean | undefined;
  readonly requiredAmr?: readonly string[] | undefined;
  readonly requiredAcr?: string | undefined;
  /** `step_up_2fa`: second factors and their masked destinations. */
  readonly secondFactors?: Readonly<Record<string, unknown>> | undefined;
}

/** The refusal of a sensitive action. */
export function stepUpRequired(offer: StepUpOffer): AuthError {
  return new AuthError("step_up_required", {
    metadata: {
      max_age_seconds: offer.maxAge ?? freshSeconds,
      ...(offer.mfaRequired === true ? { mfa_required: true } : {}),
      step_up_methods: offer.methods,
      ...(offer.secondFactors === undefined ? {} : { step_up_2fa: offer.secondFactors }),
      ...(offer.requiredAmr === undefined || offer.requiredAmr.length === 0
        ? {}
        : { required_amr: offer.requiredAmr }),
      ...(offer.requiredAcr === undefined ? {} : { required_acr: offer.requiredAcr }),
    },
  });
}
