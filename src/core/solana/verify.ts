import { AuthError } from "../../contract/errors/index.ts";
import type { Clock } from "../../platform/clock.ts";
import { decodeAddress } from "./base58.ts";
import type { ChallengeRecord, Challenges } from "./challenges.ts";
import { parseSignInText, type SignInMessage } from "./message.ts";
import { isSignedBy } from "./signature.ts";
import { decodeOutput, type WalletOutput } from "./signed-output.ts";

/** What an answer is for; the two doors refuse malformed input under different codes. */
export type WalletPurpose = "login" | "link";

/** Milliseconds a message may be dated ahead of the server's clock. */
const issuedAtTolerance = 300_000;
const timestamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function parse(signed: Buffer): SignInMessage | undefined {
  try {
    return parseSignInText(utf8.decode(signed));
  } catch {
    // Not UTF-8, so no message of ours.
    return undefined;
  }
}

function instant(text: string): number {
  return timestamp.test(text) ? Date.parse(text) : Number.NaN;
}

/** Whether the message's own times admit `now`; unreadable ones do not. */
function isTimely(message: SignInMessage, now: number): boolean {
  const { expirationTime, notBefore, issuedAt } = message;
  if (expirationTime !== undefined && !(instant(expirationTime) >= now)) return false;
  if (notBefore !== undefined && !(instant(notBefore) <= now)) return false;
  return issuedAt === undefined || instant(issuedAt) <= now + issuedAtTolerance;
}

/** Every field the server wrote is there as written, and none it did not write but statement, request id and resources. */
function agrees(message: SignInMessage, { input }: ChallengeRecord): boolean {
  return (
    !message.ambiguous &&
    message.address === input.address &&
    message.version === input.version &&
    message.issuedAt === input.issuedAt &&
    message.expirationTime === input.expirationTime &&
    message.notBefore === undefined
  );
}

/**
 * Verifies a wallet's answer and resolves to the challenge it answers. The challenge is spent before anything else is looked at, so every
 * attempt needs one of its own.
 */
export async function verifyOutput(
  output: WalletOutput,
  purpose: WalletPurpose,
  { challenges, clock }: { readonly challenges: Pick<Challenges, "take">; readonly clock: Clock },
): Promise<ChallengeRecord> {
  const signed = decodeOutput(output);
  const message = parse(signed.signedMessage);
  const malformed = purpose === "login" ? "authentication_failed" : "invalid_request";
  if (message === undefined) throw new AuthError(malformed);
  const record = await challenges.take(message.nonce ?? "");
  const now = clock.millis();
  if (record === undefined || Date.parse(record.expires_at) < now) throw new AuthError("challenge_expired");
  if (record.address !== signed.address) throw new AuthError("address_mismatch");
  const { input } = record;
  if (message.domain !== input.domain || message.chainId !== input.chainId || message.uri !== input.uri) {
    throw new AuthError("authentication_failed");
  }
  if (!isTimely(message, now)) throw new AuthError("challenge_expired");
  if (!agrees(message, record)) throw new AuthError("authentication_failed");
  const key = decodeAddress(record.address);
  if (key === undefined || (signed.publicKey !== undefined && !signed.publicKey.equals(key))) {
    throw new AuthError(malformed);
  }
  if (!isSignedBy(key, signed.signedMessage, signed.signature)) throw new AuthError("invalid_signature");
  return record;
}
