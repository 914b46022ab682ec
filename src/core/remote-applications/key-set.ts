import { createPublicKey } from "node:crypto";
import { algorithmOf, parsePublicKey } from "../signing-keys/index.ts";
import type { VerificationKey } from "../signing-keys/types.ts";
import type { ApplicationKey } from "./types.ts";

/** Under which a key without a `kid` is kept. */
export const unnamedKey = "default";

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const supported: ReadonlySet<string> = new Set(["RSA", "EC", "OKP"]);

/** A key of a set; undefined when it is not for verifying signatures, or of a kind this server has no use for. */
function keyOf(entry: Record<string, unknown>): VerificationKey | undefined {
  const { kty, use, alg, kid } = entry;
  if (typeof kty !== "string" || !supported.has(kty.toUpperCase())) return undefined;
  if (use !== undefined && use !== "sig") return undefined;
  const publicKey = createPublicKey({ key: { ...entry, kty: kty.toUpperCase() }, format: "jwk" });
  const algorithm = algorithmOf(publicKey);
  if (alg !== undefined && alg !== algorithm) return undefined;
  return { kid: typeof kid === "string" && kid !== "" ? kid : unnamedKey, algorithm, publicKey };
}

/**
 * The usable keys of a JWK set (RFC 7517), by kid. Keys of unknown kinds are left out; so is a weak or malformed one, which `report` is told.
 *
 * @throws Error when the text is no key set, or none of its keys can be used.
 */
export function parseKeySet(text: string, report: (problem: unknown) => void): Map<string, VerificationKey> {
  const document: unknown = JSON.parse(text);
  const entries = isRecord(document) ? document["keys"] : undefined;
  if (!Array.isArray(entries)) throw new Error("the answer is no JWK set");
  const keys = new Map<string, VerificationKey>();
  for (const entry of entries) {
    if (!isRecord(entry)) continue;
    try {
      const key = keyOf(entry);
      if (key !== undefined) keys.set(key.kid, key);
    } catch (problem) {
      report(problem);
    }
  }
  if (keys.size === 0) throw new Error("the JWK set has no usable key");
  return keys;
}

/** Static keys, by kid. */
export function staticKeySet(keys: readonly ApplicationKey[]): Map<string, VerificationKey> {
  return new Map(
    keys.map(({ kid, publicKeyPem }) => {
      const publicKey = parsePublicKey(publicKeyPem);
      const name = kid === "" ? unnamedKey : kid;
      return [name, { kid: name, algorithm: algorithmOf(publicKey), publicKey }];
    }),
  );
}
