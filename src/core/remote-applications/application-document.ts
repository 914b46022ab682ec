import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { assertPublicHttpsUrl } from "../../platform/outbound/uri.ts";
import { isSlug, isStorable } from "../identifiers/index.ts";
import type { Platform } from "../platform.ts";
import type { ApplicationDomain } from "./domain.ts";
import { canonicalIssuer, maxIssuerLength, parseTrust, type TrustSource } from "./statement.ts";
import type { ApplicationKey } from "./types.ts";

const maxBytes = 64 * 1024;
const timeoutMs = 15_000;
const maxDisplayNameBytes = 256;

export interface DocumentRules {
  readonly ownIssuer: string;
  readonly allowPrivate: boolean;
}

/** What an application says of itself under its domain. */
export interface ApplicationDocument extends TrustSource {
  readonly slug: string;
  readonly displayName: string;
  readonly issuer: string;
  readonly documentEndpoint: string;
}

type Members = Readonly<Record<string, unknown>>;

function isMembers(value: unknown): value is Members {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(message: string, cause?: unknown): AuthError {
  return new AuthError("application_document_invalid", { message, cause });
}

function text(members: Members, name: string): string {
  const value = members[name] ?? "";
  if (typeof value !== "string" || !isStorable(value)) throw invalid(`${name} is no text`);
  return value.trim();
}

/** The stated keys; null when there are none. Throws `application_document_invalid`. */
function keysOf(members: Members): ApplicationKey[] | null {
  const stated = members["public_keys"] ?? null;
  if (stated === null) return null;
  if (!Array.isArray(stated)) throw invalid("public_keys is no list");
  return stated.map((entry: unknown) => {
    if (!isMembers(entry)) throw invalid("a key is no object");
    return { kid: text(entry, "kid"), publicKeyPem: text(entry, "public_key_pem") };
  });
}

/** `jwks_uri` or `public_keys`, exactly one of them. Throws `application_document_invalid`. */
export function statedTrust(members: Members, rules: DocumentRules): TrustSource {
  try {
    return parseTrust({ mode: "", jwksUri: text(members, "jwks_uri"), publicKeys: keysOf(members) }, rules);
  } catch (error) {
    if (isAuthError(error, "invalid_remote_application")) throw invalid(error.message, error);
    throw error;
  }
}

function issuerOf(members: Members, domain: ApplicationDomain, rules: DocumentRules): string {
  const issuer = text(members, "issuer");
  const url = URL.parse(issuer);
  if (issuer === "" || issuer.length > maxIssuerLength || url === null)
    throw invalid("the issuer is malformed");
  if (canonicalIssuer(issuer) === canonicalIssuer(rules.ownIssuer)) throw invalid("the issuer is reserved");
  if (!rules.allowPrivate && (url.protocol !== "https:" || url.hostname !== domain.host))
    throw invalid("the issuer is not an https URL of the domain");
  return issuer;
}

function endpointOf(members: Members, rules: DocumentRules): string {
  const endpoint = text(members, "document_endpoint");
  if (endpoint === "") return endpoint;
  try {
    return assertPublicHttpsUrl(endpoint, rules).href;
  } catch (cause) {
    throw invalid("the document_endpoint cannot be used", cause);
  }
}

/** Reads a document; unknown members are ignored. Throws `application_document_invalid`. */
export function parseApplicationDocument(
  json: string,
  domain: ApplicationDomain,
  rules: DocumentRules,
): ApplicationDocument {
  let members: unknown;
  try {
    members = JSON.parse(json);
  } catch (cause) {
    throw invalid("the document is no JSON", cause);
  }
  if (!isMembers(members)) throw invalid("the document is no object");
  const slug = text(members, "slug").toLowerCase() || domain.host;
  const displayName = text(members, "display_name");
  if (!isSlug(slug)) throw invalid("the slug is malformed");
  if (Buffer.byteLength(displayName) > maxDisplayNameBytes) throw invalid("the display_name is too long");
  return {
    ...statedTrust(members, rules),
    slug,
    displayName,
    issuer: issuerOf(members, domain, rules),
    documentEndpoint: endpointOf(members, rules),
  };
}

/**
 * Fetches the document of a domain: status 200, at most 64 KiB, no redirects, public addresses only. Throws
 * `application_document_fetch_failed`, `application_document_invalid`.
 */
export async function fetchApplicationDocument(
  { outbound }: Pick<Platform, "outbound">,
  domain: ApplicationDomain,
  rules: DocumentRules,
  signal: AbortSignal | undefined,
): Promise<ApplicationDocument> {
  const failed = (cause: unknown): AuthError => new AuthError("application_document_fetch_failed", { cause });
  const reply = await outbound
    .request({
      url: domain.documentUrl,
      headers: { accept: "application/json" },
      timeout: timeoutMs,
      maxBytes,
      ...(signal === undefined ? {} : { signal }),
    })
    .catch((cause: unknown) => {
      throw failed(cause);
    });
  if (reply.status !== 200) throw failed(new Error(`status ${reply.status}`));
  return parseApplicationDocument(reply.body.toString("utf8"), domain, rules);
}
