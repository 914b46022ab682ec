import { AuthError } from "../../contract/errors/index.ts";
import { parseIp } from "../../platform/outbound/ip-address.ts";
import { hostAddress, isInternalHost } from "../../platform/outbound/uri.ts";

/** A domain an application is rooted in. */
export interface ApplicationDomain {
  /** As stored: the host name; in development also `scheme://host:port`. */
  readonly name: string;
  readonly host: string;
  /** Where the application describes itself. */
  readonly documentUrl: string;
}

const documentPath = "/.well-known/authkit/application.json";
const dnsName = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])$/;

function developmentBase(text: string): ApplicationDomain | undefined {
  const url = /^https?:\/\//.test(text) ? URL.parse(text) : null;
  if (url === null || url.pathname !== "/" || url.search !== "" || url.hash !== "" || url.username !== "")
    return undefined;
  const name = `${url.protocol}//${url.host}`;
  return { name, host: hostAddress(url.hostname), documentUrl: `${name}${documentPath}` };
}

/**
 * A bare DNS name in lower case, with a dot, that is no internal one; with `allowPrivate` (development) also the base URL of a server.
 * Throws `application_domain_invalid`.
 */
export function parseDomain(text: string, rules: { readonly allowPrivate: boolean }): ApplicationDomain {
  const name = text.trim();
  const development = rules.allowPrivate ? developmentBase(name) : undefined;
  if (development !== undefined) return development;
  if (!dnsName.test(name) || parseIp(name) !== undefined || (!rules.allowPrivate && isInternalHost(name)))
    throw new AuthError("application_domain_invalid");
  return { name, host: name, documentUrl: `https://${name}${documentPath}` };
}
