import { createHash } from "node:crypto";
import { AuthError } from "../../contract/errors/index.ts";
import {
  type CompactToken,
  hasAllowedAlgorithm,
  hasValidSignature,
  parseCompact,
} from "../authentication/index.ts";
import type { Platform } from "../platform.ts";
import type { VerificationKey } from "../signing-keys/types.ts";
import { fetchKeySet } from "./fetch-keys.ts";
import { staticKeySet, unnamedKey } from "./key-set.ts";
import type { RemoteApplication } from "./types.ts";

const requestType = "authkit-application-request+jws";
/** Seconds a request's `iat` may be off, either way. */
const window = 300;

export type RequestOperation = "rotate" | "repoint";

const ownMembers: Readonly<Record<RequestOperation, readonly string[]>> = {
  rotate: ["jwks_uri", "public_keys"],
  repoint: ["domain"],
};

export type SignedRequestPlatform = Pick<Platform, "config" | "clock" | "ephemeral" | "outbound" | "log">;

async function keyOf(
  platform: SignedRequestPlatform,
  application: RemoteApplication,
  kid: string,
): Promise<VerificationKey | undefined> {
  if (application.publicKeys === null) {
    // Fetched anew: a key taken out of the set must not replace the others.
    const keys = await fetchKeySet(platform, application).catch((cause: unknown) => {
      throw new AuthError("application_signature_invalid", { cause });
    });
    return keys.get(kid);
  }
  const keys = staticKeySet(application.publicKeys);
  return keys.get(kid) ?? keys.get(unnamedKey);
}

function checkPayload(
  token: CompactToken,
  operation: RequestOperation,
  slug: string,
  issuer: string,
): number {
  const { op, slug: named, aud, iat } = token.claims;
  const allowed = new Set(["op", "slug", "aud", "iat", ...ownMembers[operation]]);
  const strict =
    token.duplicateClaims.length === 0 && Object.keys(token.claims).every((name) => allowed.has(name));
  if (!strict || op !== operation || named !== slug || aud !== issuer || typeof iat !== "number")
    throw new AuthError("application_signature_invalid");
  return iat;
}

/**
 * Verifies a request an application signed with its current key (spec 30 §1.10) and gives its payload. Each request counts once: what was
 * asked before is `application_signature_stale`, as is one whose `iat` is more than five minutes off. Throws
 * `application_signature_invalid`, `service_unavailable`.
 */
export async function verifySignedRequest(
  platform: SignedRequestPlatform,
  application: RemoteApplication,
  operation: RequestOperation,
  jws: string,
): Promise<Readonly<Record<string, unknown>>> {
  const { config, clock, ephemeral } = platform;
  const invalid = (cause?: unknown): AuthError => new AuthError("application_signature_invalid", { cause });
  if (!application.enabled) throw invalid();
  let token: CompactToken;
  try {
    token = parseCompact(jws.trim());
  } catch (cause) {
    throw invalid(cause);
  }
  const { typ, kid, alg } = token.header;
  if (typ !== requestType || !hasAllowedAlgorithm(token) || typeof kid !== "string" || kid === "")
    throw invalid();
  const key = await keyOf(platform, application, kid);
  if (key === undefined || key.algorithm !== alg || !hasValidSignature(token, key)) throw invalid();
  const iat = checkPayload(token, operation, application.slug, config.issuer);
  if (Math.abs(clock.epochSeconds() - iat) > window) throw new AuthError("application_signature_stale");
  // The signed bytes, not the signature: an ECDSA signature has a second form that verifies as well.
  const digest = createHash("sha256").update(token.signingInput).digest("base64url");
  if (!(await ephemeral.setIfAbsent(`application_request:${digest}`, "1", 2 * window)))
    throw new AuthError("application_signature_stale");
  return token.claims;
}
