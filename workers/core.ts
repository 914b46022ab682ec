import { type Core, createCore, loadBreachedPasswords } from "../src/core/index.ts";
import { createKeyRing, loadTotpKeys } from "../src/core/signing-keys/index.ts";
import type { WorkerProcess } from "./lifecycle.ts";
import { patiently } from "./patience.ts";
import type { RunningPlatform } from "./platform.ts";

export interface RunningCore {
  readonly core: Core;
  close(): Promise<void>;
}

/** Loads the keys and builds every capability over a platform. A worker waits for an outage to end; without one, it is an error. */
export async function startCore(
  platform: RunningPlatform,
  worker?: Pick<WorkerProcess, "log" | "waiting">,
): Promise<RunningCore> {
  const reached = <T>(step: () => Promise<T>): Promise<T> =>
    worker === undefined ? step() : patiently(worker, step);
  const keyRing = await reached(() => createKeyRing(platform));
  const totpKeys = await loadTotpKeys(platform.config.keys, platform.log);
  const breachedPasswords = await loadBreachedPasswords(platform.config.passwords);
  const core = createCore(platform, { keyRing, totpKeys, breachedPasswords });
  await reached(() => core.start());
  return {
    core,
    async close() {
      await core.close();
      await keyRing.close();
    },
  };
}
