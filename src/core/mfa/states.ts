import type { Config } from "../../config/config.ts";
import type { Platform } from "../platform.ts";
import { mfaStateStore } from "./state-store.ts";
import type { MfaState, MfaStates } from "./types.ts";

/** What decides whether a method can be offered, beside the policy. */
export interface MfaDependencies {
  /** Whether messages can be sent over the channel now. */
  senderAvailable(channel: "email" | "sms"): boolean;
  /** Whether TOTP secrets can be encrypted, that is, a key is there. */
  totpAvailable(): boolean;
}

/** Read side of the second factor. A failing read throws: a state that cannot be read must never pass as "no second factor". */
export function createMfaStates(
  platform: Pick<Platform, "config" | "database">,
  dependencies: MfaDependencies,
): MfaStates {
  const { mode, methods } = platform.config.mfa;
  return {
    of: (userId) => mfaStateStore.state(platform.database, userId),

    availableMethods() {
      if (mode === "disabled") return [];
      return (["email", "sms", "totp"] as const).filter(
        (method) =>
          methods.includes(method) &&
          (method === "totp" ? dependencies.totpAvailable() : dependencies.senderAvailable(method)),
      );
    },
  };
}

/** What the session gate needs to know of an account's second factor. */
export interface MfaSummary {
  readonly enabled: boolean;
  readonly factors: number;
  /** The account holds a role that demands a second factor. */
  readonly roleDemandsMfa: boolean;
}

/** `pass`; `enroll`: nothing enrolled but demanded; `second_factor`: enrolled, and this session has not shown it. */
export type MfaGate = "pass" | "enroll" | "second_factor";

/** Whether a session rests on a passkey alone: of the ways in without a code only it counts as two factors. */
export function isPasskeySession(methods: readonly string[]): boolean {
  return methods.includes("swk") && methods.includes("mfa") && !methods.includes("otp");
}

/** The gate every session passes when it is opened and at each refresh. `passkeyCounts`: see the configuration. */
export function mfaGate(
  mode: Config["mfa"]["mode"],
  summary: MfaSummary,
  methods: readonly string[],
  passkeyCounts = false,
): MfaGate {
  if (mode === "disabled") return "pass";
  if (!summary.enabled) {
    const demanded = mode === "required" && !(passkeyCounts && isPasskeySession(methods));
    return demanded || summary.roleDemandsMfa ? "enroll" : "pass";
  }
  if (summary.factors === 0) return "enroll";
  // Whoever has one mailbox for both steps has taken the second, though it is no second factor.
  return methods.includes("mfa") || methods.includes("repeat") ? "pass" : "second_factor";
}

/** Whether tokens say `mfa_enrolled`. Never in mode `disabled`: nobody could prove a factor then. */
export function mfaEnrolled(
  mode: Config["mfa"]["mode"],
  summary: Pick<MfaSummary, "enabled" | "factors">,
): boolean {
  return mode !== "disabled" && summary.enabled && summary.factors > 0;
}

/** The same for a whole state. */
export function summarize(
  state: Pick<MfaState, "enabled" | "factors">,
): Pick<MfaSummary, "enabled" | "factors"> {
  return { enabled: state.enabled, factors: state.factors.length };
}
