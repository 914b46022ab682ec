import type { Config } from "../../config/config.ts";
import type { StepUpOffer } from "../authentication/fresh.ts";
import type { ProviderSummary } from "../federation/types.ts";
import { isUuid } from "../identifiers/index.ts";
import { summarize } from "../mfa/states.ts";
import type { MfaState, MfaStates } from "../mfa/types.ts";
import type { Platform } from "../platform.ts";
import { maskDestination } from "./mask.ts";
import { stepUpStore } from "./store.ts";

/** One second factor a step-up can use. Masked; no factor ids. */
export interface StepUpFactor {
  readonly method: "email" | "sms" | "totp";
  readonly isDefault: boolean;
  /** Masked destination; undefined for TOTP. */
  readonly verificationId: string | undefined;
}

/** How an account can become fresh again. */
export interface StepUpOptions {
  /** `password`, `2fa`, then linked providers that prove something fresh, ascending. May be empty: the way out is a new login. */
  readonly methods: readonly string[];
  /** Second factors in use; empty when none is enrolled or the deployment has them switched off. */
  readonly factors: readonly StepUpFactor[];
}

export interface StepUpOptionParts {
  readonly mfaStates: Pick<MfaStates, "of">;
  /** Configured identity providers. */
  readonly providers: () => readonly ProviderSummary[];
}

/** What the options of one account follow from. */
export interface StepUpAccount {
  readonly email: string | null;
  readonly hasPassword: boolean;
  /** Slugs of linked providers, ascending and distinct. */
  readonly providers: readonly string[];
  readonly state: Pick<MfaState, "enabled" | "factors">;
}

/** The options of an account that has been read already; under strict rules a second factor, where there is one, is the only one. */
export function stepUpOptionsOf(
  { mfa: { mode }, stepUp: { strict } }: Pick<Config, "mfa" | "stepUp">,
  configured: readonly ProviderSummary[],
  account: StepUpAccount,
): StepUpOptions {
  const { state, email } = account;
  const enrolled = mode !== "disabled" && summarize(state).enabled;
  const factors = (enrolled ? state.factors : []).map(({ method, isDefault, phoneNumber }) => {
    const destination = method === "email" ? email : method === "sms" ? phoneNumber : null;
    return {
      method,
      isDefault,
      verificationId: destination === null ? undefined : maskDestination(destination),
    };
  });
  const fresh = new Set(configured.filter(({ provesFreshness }) => provesFreshness).map(({ id }) => id));
  if (strict && factors.length > 0) return { methods: ["2fa"], factors };
  return {
    methods: [
      ...(account.hasPassword ? ["password"] : []),
      ...(factors.length > 0 ? ["2fa"] : []),
      ...account.providers.filter((slug) => fresh.has(slug)),
    ],
    factors,
  };
}

/** Looks up {@link StepUpOptions}; unknown accounts have none. */
export function createStepUpOptions(
  platform: Pick<Platform, "config" | "database">,
  parts: StepUpOptionParts,
): (userId: string) => Promise<StepUpOptions> {
  const { config, database } = platform;

  return async (userId) => {
    if (!isUuid(userId)) return { methods: [], factors: [] };
    const [proofs, state] = await Promise.all([
      stepUpStore.proofs(database, userId),
      parts.mfaStates.of(userId),
    ]);
    if (proofs === undefined) return { methods: [], factors: [] };
    return stepUpOptionsOf(config, parts.providers(), { ...proofs, state });
  };
}

/** `step_up_2fa` as clients read it; undefined without second factors. */
export function secondFactorMembers(options: StepUpOptions): Record<string, unknown> | undefined {
  const { factors } = options;
  const preferred = factors.find(({ isDefault }) => isDefault) ?? factors[0];
  if (preferred === undefined) return undefined;
  return {
    methods: [...new Set(factors.map(({ method }) => method))],
    default_method: preferred.method,
    options: factors.map(({ method, isDefault, verificationId }) => ({
      method,
      ...(isDefault ? { is_default: true } : {}),
      ...(verificationId === undefined ? {} : { verification_id: verificationId }),
    })),
  };
}

/** The options as a refusal offers them. */
export function stepUpOffer(options: StepUpOptions): StepUpOffer {
  const secondFactors = secondFactorMembers(options);
  return {
    methods: options.methods,
    ...(secondFactors === undefined ? {} : { mfaRequired: true, secondFactors }),
  };
}
