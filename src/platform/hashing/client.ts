import type { Config } from "../../config/config.ts";
import { AuthError } from "../../contract/errors/index.ts";
import { type ChannelClient, ChannelUnavailable } from "../channel/port.ts";
import type { Log } from "../log/port.ts";
import type { Metrics } from "../metrics/port.ts";
import type { PasswordHasher } from "./port.ts";
import { decodeAnswer, encodeCall, type HashAnswer, type HashCall } from "./protocol.ts";

/** Longer than any full queue takes; whoever waits on the other side has given up by then. */
const timeoutMs = 30_000;

/** One hashing process as seen from here. */
interface Peer {
  readonly channel: ChannelClient;
  /** Own requests it has not answered. */
  outstanding: number;
}

/**
 * A {@link PasswordHasher} whose work is done by the hashing processes of this node. With one channel a process, each request goes to
 * the process that owes this worker the fewest answers, and to the next one when that is full. A request in flight to a process
 * that dies is sent once more: hashing has no side effect.
 *
 * Rejects with `server_busy` (with `retryAfter`) when every process is full, `service_unavailable` when none answers.
 */
export function createPasswordHasher(
  _config: Config,
  channels: ChannelClient | readonly ChannelClient[],
  log: Log,
  metrics: Metrics,
): PasswordHasher {
  const peers = (isList(channels) ? channels : [channels]).map(
    (channel): Peer => ({ channel, outstanding: 0 }),
  );
  const refused = metrics.counter(
    "authkit_password_hash_refused_total",
    "Password hashes refused because every queue was full",
  );
  const client = String(process.pid);
  let turn = 0;

  /** Least owing first; the turn spreads what is equal. */
  function inOrder(): Peer[] {
    const start = turn++ % peers.length;
    return [...peers.slice(start), ...peers.slice(0, start)].sort((a, b) => a.outstanding - b.outstanding);
  }

  async function ask(
    peer: Peer,
    call: HashCall,
    password: string,
    signal: AbortSignal | undefined,
  ): Promise<HashAnswer> {
    peer.outstanding++;
    // A fresh copy an attempt: the receiving side wipes its own, this one is wiped here.
    const body = Buffer.from(password);
    try {
      const options = signal === undefined ? { timeoutMs } : { timeoutMs, signal };
      return decodeAnswer(await peer.channel.call(encodeCall(call, body), options));
    } finally {
      body.fill(0);
      peer.outstanding--;
    }
  }

  async function request(
    call: HashCall,
    password: string,
    signal: AbortSignal | undefined,
  ): Promise<HashAnswer> {
    signal?.throwIfAborted();
    let retryAfter: number | undefined;
    let failures = 0;
    const order = inOrder();
    // One attempt a process, and one more in case the only one was being replaced.
    for (const peer of order.length === 1 ? [...order, ...order] : order) {
      try {
        const answer = await ask(peer, call, password, signal);
        if (answer.status !== "busy") return answer;
        retryAfter = Math.min(retryAfter ?? answer.retryAfter, answer.retryAfter);
        if (order.length === 1) break;
      } catch (error) {
        if (!(error instanceof ChannelUnavailable)) throw error;
        failures++;
        log.warn({ failures, reason: error.message }, "a hashing process did not answer");
        if (failures === 2) break;
      }
    }
    if (retryAfter === undefined) throw new AuthError("service_unavailable", { retryAfter: 1 });
    refused.add();
    throw new AuthError("server_busy", { retryAfter });
  }

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
    async close() {
      await Promise.all(peers.map((peer) => peer.channel.close()));
    },
  };
}

function unexpected(answer: HashAnswer): Error {
  return new Error(`a hashing process answered ${answer.status}`);
}

function isList(channels: ChannelClient | readonly ChannelClient[]): channels is readonly ChannelClient[] {
  return Array.isArray(channels);
}
