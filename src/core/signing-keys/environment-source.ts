import type { KeysConfig } from "../../config/config.ts";
import type { Log } from "../../platform/log/port.ts";
import { SigningKeyError } from "./errors.ts";
import { parsePrivateKey } from "./pem.ts";
import { type KeySource, parsePublicKeys } from "./source.ts";

/**
 * `AUTHKIT_ACTIVE_KEY_ID` with `AUTHKIT_ACTIVE_PRIVATE_KEY_PEM`, and `AUTHKIT_PUBLIC_KEYS` beside them. Undefined when neither is set.
 * @throws SigningKeyError when only one of the two is set
 */
export function environmentSource(keys: KeysConfig, log: Log): KeySource | undefined {
  const kid = keys.activeKeyId?.trim() ?? "";
  const pem = keys.activePrivateKeyPem?.trim() ?? "";
  if (kid === "" && pem === "") return undefined;
  if (kid === "" || pem === "") {
    throw new SigningKeyError(
      "AUTHKIT_ACTIVE_KEY_ID and AUTHKIT_ACTIVE_PRIVATE_KEY_PEM must be set together; one is missing",
    );
  }
  return {
    kind: "environment",
    async load() {
      return {
        active: { kid, privateKey: parsePrivateKey(pem, "AUTHKIT_ACTIVE_PRIVATE_KEY_PEM") },
        others: parsePublicKeys(keys.publicKeys, "AUTHKIT_PUBLIC_KEYS", log),
      };
    },
  };
}
