import { createHash, type KeyObject } from "node:crypto";
import { SigningKeyError } from "./errors.ts";
import type { SigningAlgorithm } from "./types.ts";

/** A public key as published (RFC 7517): exactly these members, in this order, never a private one. */
export type PublicJwk = Readonly<Record<string, string>>;

/** The JWK of a public key. `kid` is left out when empty. */
export function publicJwk(kid: string, algorithm: SigningAlgorithm, key: KeyObject): PublicJwk {
  const { kty, crv, n, e, x, y } = key.export({ format: "jwk" });
  const head = { use: "sig", ...(kid === "" ? {} : { kid }), alg: algorithm };
  if (kty === "RSA" && n !== undefined && e !== undefined) return { kty, ...head, n, e };
  if (kty === "EC" && crv !== undefined && x !== undefined && y !== undefined)
    return { kty, ...head, crv, x, y };
  if (kty === "OKP" && crv !== undefined && x !== undefined) return { kty, ...head, crv, x };
  throw new SigningKeyError(`key ${kid} cannot be published as a JWK`);
}

/** RFC 7638 thumbprint: the default key id of keys we make ourselves. */
export function thumbprint(key: KeyObject): string {
  const jwk = key.export({ format: "jwk" });
  const members = ["crv", "e", "kty", "n", "x", "y"] as const;
  const required = Object.fromEntries(
    members.flatMap((name) => (jwk[name] === undefined ? [] : [[name, jwk[name]]])),
  );
  return createHash("sha256").update(JSON.stringify(required)).digest("base64url");
}
