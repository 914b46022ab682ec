import { createHash } from "node:crypto";
import type { IDToken } from "openid-client";
import type { ExternalIdentity } from "./mapping.ts";

/** Seconds the clocks of provider and server may differ. */
export const clockSkew = 60;

const digests: Readonly<Record<string, string>> = { "256": "sha256", "384": "sha384", "512": "sha512" };

/** Digest behind `at_hash` (OpenID Connect Core §3.1.3.6); Ed25519 signs by SHA-512. */
function digestOf(algorithm: unknown): string | undefined {
  if (typeof algorithm !== "string") return undefined;
  return algorithm === "EdDSA" || algorithm === "Ed25519" ? "sha512" : digests[algorithm.slice(-3)];
}

function algorithmOf(idToken: string): unknown {
  const header: unknown = JSON.parse(Buffer.from(idToken.split(".")[0] ?? "", "base64url").toString("utf8"));
  return typeof header === "object" && header !== null ? Reflect.get(header, "alg") : undefined;
}

function isHashOf(hash: unknown, accessToken: string, idToken: string): boolean {
  const digest = digestOf(algorithmOf(idToken));
  if (digest === undefined) return false;
  const whole = createHash(digest).update(accessToken).digest();
  return hash === whole.subarray(0, whole.length / 2).toString("base64url");
}

/**
 * What the library leaves open: the token is for this client also by `azp`, was not made in the future, and belongs to the access token that came
 * with it. Throws when not.
 */
export function assertBelongs(
  claims: IDToken,
  parts: { readonly clientId: string; readonly accessToken: string; readonly idToken: string },
  now: number,
): void {
  const { azp, iat, at_hash: hash } = claims;
  if (azp !== undefined && azp !== parts.clientId) throw new Error("the ID token is for another party");
  if (iat > now + clockSkew) throw new Error("the ID token was made in the future");
  if (hash !== undefined && !isHashOf(hash, parts.accessToken, parts.idToken))
    throw new Error("the ID token came with another access token");
}

function text(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

/** The person an ID token speaks of. Throws when it names nobody. */
export function identityOf(claims: IDToken): ExternalIdentity {
  if (claims.sub === "") throw new Error("the ID token names nobody");
  const email = text(claims["email"]);
  const [verified, authTime] = [claims["email_verified"], claims["auth_time"]];
  return {
    subject: claims.sub,
    email,
    emailVerified: email !== "" && (verified === true || verified === "true"),
    preferredUsername: text(claims["preferred_username"]),
    displayName: text(claims["name"]),
    authTime: typeof authTime === "number" && authTime > 0 ? authTime : undefined,
  };
}
