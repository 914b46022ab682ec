import { randomBytes } from "node:crypto";
import { link, mkdir, rename, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Config } from "../../config/config.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log/port.ts";
import { generatePrivateKey, privatePem } from "./generate.ts";
import { type KeyDocument, parseKeyDocument } from "./key-document.ts";
import type { KeyMaterial } from "./key-set.ts";
import { readSecretFile } from "./secret-file.ts";
import { type KeySource, mergePublicKeys, parsePublicKeys } from "./source.ts";

function isExisting(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}

async function read(path: string, log: Log): Promise<KeyMaterial | undefined> {
  const file = await readSecretFile(path, log);
  if (file === undefined) return undefined;
  try {
    return parseKeyDocument(file.content.toString("utf8"), path, log);
  } catch (error) {
    const aside = `${path}.unreadable`;
    log.error(
      { err: error, aside },
      "generated signing key cannot be read; a new one replaces it and outstanding tokens die",
    );
    await rename(path, aside);
    return undefined;
  }
}

/**
 * Puts a new document at `path` unless another process has been faster. The link appears with its whole content or not at all.
 */
async function create(directory: string, path: string, document: KeyDocument): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const draft = `${path}.${process.pid}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, `${JSON.stringify(document, null, 2)}\n`, { mode: 0o600, flag: "wx" });
  try {
    await link(draft, path);
  } catch (error) {
    if (!isExisting(error)) throw error;
  } finally {
    await unlink(draft);
  }
}

/**
 * The development key: made once under the state directory and used again after a restart. Several processes may call this at once; all end
 * up with the same key. When the directory cannot be written, a key in memory serves this process, with a warning.
 */
export function generatedSource(config: Config, clock: Clock, log: Log): KeySource {
  const directory = join(config.stateDirectory, "keys");
  const path = join(directory, "keys.json");
  const extra = parsePublicKeys(config.keys.publicKeys, "AUTHKIT_PUBLIC_KEYS", log);
  let inMemory: KeyMaterial | undefined;
  return {
    kind: "generated",
    async load() {
      if (inMemory !== undefined) return inMemory;
      const present = await read(path, log);
      if (present !== undefined) return mergePublicKeys(present, extra);
      const kid = `dev-${clock.epochSeconds()}`;
      const privateKey = generatePrivateKey(config.keys.algorithm);
      try {
        await create(directory, path, { active_key_id: kid, active_private_key_pem: privatePem(privateKey) });
        const written = await read(path, log);
        if (written !== undefined) return mergePublicKeys(written, extra);
      } catch (error) {
        log.warn(
          { err: error, path },
          "generated signing key cannot be stored; it lives as long as this process",
        );
      }
      inMemory = mergePublicKeys({ active: { kid, privateKey }, others: new Map() }, extra);
      return inMemory;
    },
  };
}
