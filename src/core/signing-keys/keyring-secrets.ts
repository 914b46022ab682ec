import type { Config } from "../../config/config.ts";
import { SigningKeyError } from "./errors.ts";

/** What private keys of the managed keyring are sealed with, and what else may open them. */
export interface KeyringSecrets {
  /** Seals. */
  readonly current: Buffer;
  readonly former: readonly Buffer[];
}

/** The secrets of the managed keyring. @throws SigningKeyError when none is configured */
export function keyringSecrets({ keys }: Pick<Config, "keys">): KeyringSecrets {
  if (keys.keyringSecret === undefined) {
    throw new SigningKeyError(
      "the managed keyring needs AUTHKIT_KEYRING_SECRET; file and environment keys are rotated where they are kept",
    );
  }
  return { current: keys.keyringSecret, former: keys.keyringFormerSecrets };
}

/** Whether signing keys come from the keyring in the database. Keys given by the environment win; so would `keys.json`, which is not looked at here. */
export function isManaged({ keys }: Pick<Config, "keys">): boolean {
  return keys.keyringSecret !== undefined && keys.activeKeyId === undefined && !keys.verifyOnly;
}
