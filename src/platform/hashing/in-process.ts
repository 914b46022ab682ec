import { AuthError } from "../../contract/errors/index.ts";
import { systemRandom } from "../random.ts";
import { createHashEngine, type HashEngine } from "./engine.ts";
import { loadArgon2Kernel } from "./kernel.ts";
import type { Argon2Parameters, PasswordHasher } from "./port.ts";
import { createHashQueue, HashQueueFull } from "./queue.ts";

/**
 * The same formats without processes of their own: for commands, tests and the embedded client. One hash at a time; when
 * `queueLimit` are waiting, rejects with `server_busy`.
 */
export function createInProcessHasher(parameters: Argon2Parameters, queueLimit = 1000): PasswordHasher {
  const queue = createHashQueue({ limit: queueLimit });
  let engine: Promise<HashEngine> | undefined;

  async function run<T>(
    password: string,
    signal: AbortSignal | undefined,
    work: (engine: HashEngine, bytes: Buffer) => Promise<T>,
  ): Promise<T> {
    engine ??= loadArgon2Kernel().then((kernel) => createHashEngine(kernel, parameters, systemRandom));
    const ready = await engine;
    try {
      return await queue.run("self", () => work(ready, Buffer.from(password)), signal);
    } catch (error) {
      if (error instanceof HashQueueFull)
        throw new AuthError("server_busy", { retryAfter: error.retryAfter });
      throw error;
    }
  }

  return {
    hash: (password, signal) => run(password, signal, (ready, bytes) => ready.hash(bytes)),
    verify: (stored, password, signal) =>
      run(password, signal, (ready, bytes) => ready.verify(stored, bytes)),
    verifyDummy: (password, signal) => run(password, signal, (ready, bytes) => ready.verifyDummy(bytes)),
    close: async () => undefined,
  };
}
