import type { ChannelHandler } from "../channel/port.ts";
import type { Metrics } from "../metrics/port.ts";
import type { HashEngine } from "./engine.ts";
import { defaultPatience } from "./patience.ts";
import { decodeCall, encodeAnswer, type HashAnswer, type HashCall } from "./protocol.ts";
import { createHashQueue, HashQueueFull } from "./queue.ts";

/** Dense around the 20–30 ms of the default parameters, out to imported hashes at their cost limits. */
const buckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2, 0.5, 1, 2, 5];

/**
 * Answers hash requests of all workers of the node, one at a time; at most `queueLimit` wait, and fewer when that would take too long. The kernel computes off the event loop, so the process keeps
 * answering "busy" and taking cancelled requests out of the queue while a hash runs.
 */
export function createHashHandler(engine: HashEngine, queueLimit: number, metrics: Metrics): ChannelHandler {
  const depth = metrics.gauge("authkit_password_hash_queue_depth", "Password hashes waiting in this process");
  const seconds = metrics.histogram(
    "authkit_password_hash_seconds",
    "Time one password hash took to compute, without waiting",
    ["operation"],
    buckets,
  );
  const queue = createHashQueue({
    limit: queueLimit,
    patience: defaultPatience,
    onDepth: (waiting) => depth.set(waiting),
  });
  depth.set(0);

  return async (request, signal) => {
    const call = decodeCall(request);
    const password = request.body;
    try {
      const answer = await queue.run(
        call.client,
        async () => {
          const began = performance.now();
          const done = await compute(engine, call, password);
          seconds.observe((performance.now() - began) / 1000, { operation: call.operation });
          return done;
        },
        signal,
      );
      return encodeAnswer(answer);
    } catch (error) {
      if (error instanceof HashQueueFull)
        return encodeAnswer({ status: "busy", retryAfter: error.retryAfter });
      throw error;
    } finally {
      password.fill(0);
    }
  };
}

async function compute(engine: HashEngine, call: HashCall, password: Buffer): Promise<HashAnswer> {
  switch (call.operation) {
    case "hash":
      return { status: "hashed", hash: await engine.hash(password) };
    case "verify":
      return { status: "verified", result: await engine.verify(call.stored, password) };
    case "dummy":
      await engine.verifyDummy(password);
      return { status: "spent" };
  }
}
