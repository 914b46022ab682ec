import type { Transport, TransportCall, TransportReply } from "./transport.ts";

const firstDelayMs = 100;
const longestDelayMs = 5_000;

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = (): void => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal.addEventListener("abort", abort, { once: true });
  });
}

/** Exponential back-off with full jitter, so that clients cut off together do not come back together; never before `Retry-After`. */
function delayMs(attempt: number, retryAfter: number | undefined): number {
  const ceiling = Math.min(firstDelayMs * 2 ** attempt, longestDelayMs);
  return Math.max(Math.random() * ceiling, Math.min((retryAfter ?? 0) * 1000, longestDelayMs));
}

async function attempt(
  transport: Transport,
  call: TransportCall,
): Promise<TransportReply | { readonly error: unknown }> {
  try {
    return await transport(call);
  } catch (error) {
    return { error };
  }
}

/**
 * Repeats calls that change nothing, up to `retries` times, when no reply came or the server answered 503. Calls that change something are
 * never repeated: without a reply nobody knows whether they were executed.
 */
export function withRetries(transport: Transport, retries: number): Transport {
  return async (call) => {
    const allowed = call.method.mutates === undefined ? retries : 0;
    for (let count = 0; ; count++) {
      const outcome = await attempt(transport, call);
      const failed = "error" in outcome;
      const again = (failed || outcome.status === 503) && count < allowed && !call.signal.aborted;
      if (again) await pause(delayMs(count, failed ? undefined : outcome.retryAfter), call.signal);
      else if (failed) throw outcome.error;
      else return outcome;
    }
  };
}
