import { join } from "node:path";
import type { KeysConfig } from "../../config/config.ts";
import type { Log } from "../../platform/log/port.ts";
import { SigningKeyError } from "./errors.ts";
import { parseKeyDocument } from "./key-document.ts";
import { type FileVersion, fileVersion, readSecretFile, sameVersion } from "./secret-file.ts";
import { type KeySource, mergePublicKeys, parsePublicKeys } from "./source.ts";

/** Milliseconds between two looks at the file. */
const defaultPoll = 10_000;

/** Path of the key file. */
export function keyFilePath(keys: KeysConfig): string {
  return join(keys.path, "keys.json");
}

/**
 * `keys.json` in the key directory, re-read within `pollMs` of a change of its time, size or inode. Keys of `AUTHKIT_PUBLIC_KEYS` are
 * published as well; the file wins on an equal id. Undefined when the file does not exist.
 */
export async function fileSource(
  keys: KeysConfig,
  log: Log,
  pollMs = defaultPoll,
): Promise<KeySource | undefined> {
  const path = keyFilePath(keys);
  if ((await fileVersion(path)) === undefined) return undefined;
  const extra = parsePublicKeys(keys.publicKeys, "AUTHKIT_PUBLIC_KEYS", log);
  let loaded: FileVersion | undefined;
  return {
    kind: "file",
    async load() {
      const file = await readSecretFile(path, log);
      if (file === undefined) throw new SigningKeyError(`${path} has disappeared`);
      const material = mergePublicKeys(parseKeyDocument(file.content.toString("utf8"), path, log), extra);
      loaded = file.version;
      return material;
    },
    async watch(changed) {
      const timer = setInterval(() => {
        fileVersion(path).then(
          // A version that could not be loaded differs from `loaded` at the next look too, and so is tried again.
          (version) => version !== undefined && !sameVersion(version, loaded) && changed(),
          (error: unknown) => log.warn({ err: error }, "key file cannot be inspected"),
        );
      }, pollMs);
      timer.unref();
      return async () => clearInterval(timer);
    },
  };
}
