import { AuthError } from "../../contract/errors/index.ts";
import { assertPublicHttpsUrl } from "../../platform/outbound/uri.ts";
import { isSlug, isStorable, isUuid } from "../identifiers/index.ts";
import { parsePublicKey } from "../signing-keys/index.ts";
import type { ApplicationKey, ApplicationStatement, RemoteApplication } from "./types.ts";

export const maxIssuerLength = 2048;

/** Scheme and host in lower case, without a trailing slash: two spellings of one issuer compare equal. */
export function canonicalIssuer(issuer: string): string {
  const trimmed = issuer.trim().replace(/\/+$/, "");
  const match = /^([a-z][a-z0-9+.-]*:\/\/[^/?#]*)(.*)$/i.exec(trimmed);
  return match === null ? trimmed.toLowerCase() : `${(match[1] ?? "").toLowerCase()}${match[2] ?? ""}`;
}

function invalid(message: string, cause?: unknown): AuthError {
  return new AuthError("invalid_remote_application", { message, ...(cause === undefined ? {} : { cause }) });
}

function parseKeys(keys: readonly ApplicationKey[]): ApplicationKey[] {
  const parsed = keys.map(({ kid, publicKeyPem }) => ({
    kid: kid.trim(),
    publicKeyPem: publicKeyPem.trim(),
  }));
  for (const { publicKeyPem, kid } of parsed) {
    if (!isStorable(kid) || !isStorable(publicKeyPem)) throw invalid("a key holds unusable characters");
    if (!/^-----BEGIN (RSA )?PUBLIC KEY-----/.test(publicKeyPem))
      throw invalid("a key is no PEM block PUBLIC KEY or RSA PUBLIC KEY");
    try {
      parsePublicKey(publicKeyPem);
    } catch (cause) {
      throw invalid("a public key cannot be used", cause);
    }
  }
  // With several keys a token has to say which one it means.
  const kids = new Set(parsed.map(({ kid }) => kid));
  if (parsed.length > 1 && (kids.size !== parsed.length || kids.has("")))
    throw invalid("several keys need distinct kids");
  return parsed;
}

/** How an application's signatures are verified: a key set that is fetched, or keys that are stored. */
export type TrustSource = Pick<RemoteApplication, "mode" | "jwksUri" | "publicKeys">;

/**
 * The stored form of a trust source; a blank mode follows from what is given. `allowPrivate` admits http and private hosts. Throws
 * `invalid_remote_application` with what is wrong.
 */
export function parseTrust(
  stated: Pick<ApplicationStatement, "mode" | "jwksUri" | "publicKeys">,
  rules: { readonly allowPrivate: boolean },
): TrustSource {
  const jwksUri = stated.jwksUri.trim();
  const keys = stated.publicKeys ?? [];
  const mode = stated.mode.trim() || (keys.length > 0 ? "static" : "jwks");
  if (mode === "jwks") {
    if (jwksUri === "" || keys.length > 0) throw invalid("mode jwks wants a jwks_uri and no keys");
    try {
      assertPublicHttpsUrl(jwksUri, rules);
    } catch (cause) {
      throw invalid(cause instanceof Error ? cause.message : "the jwks_uri cannot be used", cause);
    }
    return { mode, jwksUri, publicKeys: null };
  }
  if (mode !== "static") throw invalid("mode is one of jwks, static");
  if (keys.length === 0 || jwksUri !== "") throw invalid("mode static wants keys and no jwks_uri");
  return { mode, jwksUri: "", publicKeys: parseKeys(keys) };
}

/**
 * The stored form of a statement. `allowPrivate` admits http and private hosts (development). Throws `reserved_issuer`,
 * `invalid_remote_application` with what is wrong.
 */
export function parseStatement(
  statement: ApplicationStatement,
  rules: { readonly ownIssuer: string; readonly allowPrivate: boolean },
): Omit<ApplicationStatement, "mode"> & Pick<RemoteApplication, "mode"> {
  const slug = statement.slug.trim().toLowerCase();
  const issuer = statement.issuer.trim();
  if (slug === "" || issuer === "") throw invalid("slug and issuer are required");
  if (canonicalIssuer(issuer) === canonicalIssuer(rules.ownIssuer)) throw new AuthError("reserved_issuer");
  if (!isSlug(slug)) throw invalid("the slug is malformed");
  if (issuer.length > maxIssuerLength || !isStorable(issuer)) throw invalid("the issuer is malformed");
  const trust = parseTrust(statement, rules);
  const groupId = statement.permissionGroupId.trim();
  if (groupId === "" || !isUuid(groupId)) throw invalid("permission_group_id is required");
  return { slug, issuer, permissionGroupId: groupId, enabled: statement.enabled, ...trust };
}
