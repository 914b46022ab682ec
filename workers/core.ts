import { type Core, createCore, loadBreachedPasswords } from "../src/core/index.ts";
import { createKeyRing, loadTotpKey } from "../src/core/signing-keys/index.ts";
import type { RunningPlatform } from "./platform.ts";

export interface RunningCore {
  readonly core: Core;
  close(): Promise<void>;
}

/** Loads the keys and builds every capability over a platform. */
export async function startCore(platform: RunningPlatform): Promise<RunningCore> {
  const keyRing = await createKeyRing(platform);
  const totpKey = await loadTotpKey(platform.config.keys, platform.log);
  const breachedPasswords = await loadBreachedPasswords(platform.config.passwords);
  const core = createCore(platform, { keyRing, totpKey, breachedPasswords });
  await core.start();
  return {
    core,
    async close() {
      await core.close();
      await keyRing.close();
    },
  };
}
