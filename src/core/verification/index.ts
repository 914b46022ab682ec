import type { Platform } from "../platform.ts";
import { createCodeAttempts } from "./attempts.ts";
import { type ConfirmParts, createConfirm } from "./confirm.ts";
import { createRequest, type RequestParts } from "./request.ts";
import type { Verification } from "./types.ts";

export { type Challenges, createChallenges } from "./challenges.ts";
export { createVerificationGate } from "./gate.ts";
export { type ContactChannel, type ContactMessages, createContactMessages } from "./messages.ts";
export { type ContactProofs, createContactProofs } from "./proofs.ts";
export {
  createRecoveryRequests,
  type RecoveryRequests,
  recoveryQueueDefinition,
} from "./recovery-requests.ts";
export type { ConfirmOutcome, Verification } from "./types.ts";

export function createVerification(
  platform: Pick<Platform, "config" | "database" | "clock" | "ephemeral">,
  parts: RequestParts & Omit<ConfirmParts, "attempts">,
): Verification {
  const attempts = createCodeAttempts(platform.ephemeral);
  return { ...createRequest(platform, parts), ...createConfirm(platform, { ...parts, attempts }) };
}
