import type { KeyObject } from "node:crypto";
import type { Log } from "../../platform/log/port.ts";
import type { KeyMaterial } from "./key-set.ts";
import { parsePublicKey } from "./pem.ts";
import type { KeySet } from "./types.ts";

/** Where keys come from. */
export interface KeySource {
  readonly kind: KeySet["source"];
  /** Reads everything anew. Throws `SigningKeyError` when the material is unusable. */
  load(): Promise<KeyMaterial>;
  /** Calls `changed` whenever a reload is worthwhile; returns a function that stops watching. */
  watch?(changed: () => void): Promise<() => Promise<void>>;
}

/**
 * Parses a `kid → PEM` map. One unreadable entry must not take the server down, nor pass unnoticed: it is left out and
 * logged as an error.
 */
export function parsePublicKeys(
  pems: Readonly<Record<string, string>>,
  where: string,
  log: Log,
): Map<string, KeyObject> {
  const keys = new Map<string, KeyObject>();
  for (const [kid, pem] of Object.entries(pems)) {
    try {
      keys.set(kid, parsePublicKey(pem, `${where} entry ${kid}`));
    } catch (error) {
      log.error({ kid, source: where, err: error }, "public key skipped: it cannot be read");
    }
  }
  return keys;
}

/** Adds the keys of `extra` whose ids `material` does not have itself. */
export function mergePublicKeys(material: KeyMaterial, extra: ReadonlyMap<string, KeyObject>): KeyMaterial {
  if (extra.size === 0) return material;
  const others = new Map(material.others);
  for (const [kid, key] of extra) {
    if (kid !== material.active?.kid && !others.has(kid)) others.set(kid, key);
  }
  return { active: material.active, others };
}
