import type { Config } from "../../config/config.ts";
import { AuthError } from "../../contract/errors/index.ts";
import { type ChannelClient, ChannelUnavailable } from "../channel/port.ts";
import type { Log } from "../log/port.ts";
import type { Metrics } from "../metrics/port.ts";
import type { Tracing } from "../tracing/port.ts";
import type { PasswordHasher } from "./port.ts";
import { decodeAnswer, encodeCall, type HashAnswer, type HashCall } from "./protocol.ts";

/** How long a request waits for a hashing process to serve: a crashed one is back within this. */
const waitMs = 5_000;

/** What a hasher reports to. */
export interface HasherInstruments {
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tracing?: Tracing | undefined;
}

/**
 * A {@link PasswordHasher} whose work is done by the hashing processes of this node, reached over one channel that knows all of them and
 * picks the least busy. A request in flight to a process that dies is sent once more: hashing has no side effect.
 *
 * Rejects with `server_busy` (and `retryAfter`) when the process asked is full, `service_unavailable` when none serves.
 */
export function createPasswordHasher(
  config: Pick<Config, "server">,
  channel: ChannelClient,
  { log, metrics, tracing }: HasherInstruments,
): PasswordHasher {
  const refused = metrics.counter(
    "authkit_password_hash_refused_total",
    "Password hashes refused because the queue was full or no process served",
    ["reason"],
  );
  const client = String(process.pid);

  async function ask(call: HashCall, password: string, signal: AbortSignal | undefined): Promise<HashAnswer> {
    // A copy for each attempt, wiped afterwards; the receiving side wipes its own.
    const body = Buffer.from(password);
    try {
      const options = signal === undefined ? { timeoutMs: waitMs } : { timeoutMs: waitMs, signal };
      return decodeAnswer(await channel.call(encodeCall(call, body), options));
    } finally {
      body.fill(0);
    }
  }

  async function askTwice(
    call: HashCall,
    password: string,
    signal: AbortSignal | undefined,
  ): Promise<HashAnswer> {
    const began = performance.now();
    try {
      return await ask(call, password, signal);
    } catch (error) {
      // Having waited in vain already, nobody is helped by waiting as long again.
      if (!(error instanceof ChannelUnavailable) || performance.now() - began >= waitMs) throw error;
      log.warn({ reason: error.message }, "a hashing process went away with a request; asking another");
      return ask(call, password, signal);
    }
  }

  async function untraced(
    call: HashCall,
    password: string,
    signal: AbortSignal | undefined,
  ): Promise<HashAnswer> {
    signal?.throwIfAborted();
    let answer: HashAnswer;
    try {
      answer = await askTwice(call, password, signal);
    } catch (error) {
      if (!(error instanceof ChannelUnavailable)) throw error;
      log.error(
        { reason: error.message, processes: config.server.hashingWorkers },
        "no hashing process serves",
      );
      refused.add({ reason: "unavailable" });
      throw new AuthError("service_unavailable", { retryAfter: 1, cause: error });
    }
    if (answer.status !== "busy") return answer;
    refused.add({ reason: "busy" });
    throw new AuthError("server_busy", { retryAfter: answer.retryAfter });
  }

  const request: typeof untraced =
    tracing === undefined
      ? untraced
      : (call, password, signal) =>
          tracing.span(`password ${call.operation}`, { kind: "client" }, () =>
            untraced(call, password, signal),
          );

  return {
    async hash(password, signal) {
      const answer = await request({ operation: "hash", client }, password, signal);
      if (answer.status !== "hashed") throw unexpected(answer);
      return answer.hash;
    },
    async verify(stored, password, signal) {
      const answer = await request({ operation: "verify", client, stored }, password, signal);
      if (answer.status !== "verified") throw unexpected(answer);
      return answer.result;
    },
    async verifyDummy(password, signal) {
      const answer = await request({ operation: "dummy", client }, password, signal);
      if (answer.status !== "spent") throw unexpected(answer);
    },
    close: () => channel.close(),
  };
}

function unexpected(answer: HashAnswer): Error {
  return new Error(`a hashing process answered ${answer.status}`);
}
