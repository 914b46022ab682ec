/**
 * A provider refused a message for good: trying again would not help. Any other rejection of a sender means that it may work later.
 * The message carries no address and nothing of the content.
 */
export class DeliveryRefused extends Error {
  override readonly name = "DeliveryRefused";
}

/** Statuses below 500 after which a repetition may still succeed: time-out, conflict, early, too many, and credentials being fixed. */
const passing = new Set([401, 403, 407, 408, 409, 425, 429]);

/** The error for an HTTP answer that is no success: final for the client's own faults, temporary otherwise. */
export function answerError(provider: string, status: number, detail = ""): Error {
  const text = `${provider} answered ${status}${detail === "" ? "" : `: ${detail}`}`;
  return status >= 400 && status < 500 && !passing.has(status) ? new DeliveryRefused(text) : new Error(text);
}
