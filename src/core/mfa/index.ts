export type { OfferedSecondFactor } from "./login.ts";
export { createSecondFactors, type SecondFactors } from "./second-factors.ts";
export type { SetupOutcome, SetupRequest } from "./setup.ts";
export { createMfaStates, isPasskeySession } from "./states.ts";
export type { MfaState, MfaStates } from "./types.ts";
