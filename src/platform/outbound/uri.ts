import { OutboundError } from "./errors.ts";
import { parseIp } from "./ip-address.ts";
import { isReservedAddress } from "./reserved.ts";

const internalNames = new Set(["localhost", "metadata", "metadata.google.internal", "host-gateway"]);
const internalSuffixes = [".localhost", ".docker.internal", ".containers.internal"];

export interface UriRules {
  /** Development: plain http and private hosts are accepted. */
  readonly allowPrivate: boolean;
}

/**
 * Checks an address someone gave us to call later (`jwks_uri`, webhooks): https, a host that is neither internal by name nor a
 * private address, no credentials. What the name resolves to is checked again at each connection.
 *
 * @throws OutboundError `invalid_url` or `blocked_address`
 */
export function assertPublicHttpsUrl(text: string, rules: UriRules): URL {
  const url = parse(text);
  if (url.username !== "" || url.password !== "")
    throw new OutboundError("invalid_url", "the URL carries credentials");
  if (url.protocol !== "https:" && !(rules.allowPrivate && url.protocol === "http:")) {
    throw new OutboundError("invalid_url", "the URL is not https");
  }
  if (!rules.allowPrivate && isInternalHost(url.hostname)) {
    throw new OutboundError("blocked_address", `${url.hostname} is not a public host`);
  }
  return url;
}

/** Whether a URL's host is internal by its name or is itself a private or reserved address. */
export function isInternalHost(hostname: string): boolean {
  const host = hostname.toLowerCase().replace(/\.$/, "");
  const address = parseIp(hostAddress(host));
  if (address !== undefined) return isReservedAddress(address);
  return internalNames.has(host) || internalSuffixes.some((suffix) => host.endsWith(suffix));
}

/** A URL's host without the brackets of an IPv6 literal. */
export function hostAddress(hostname: string): string {
  return hostname.startsWith("[") && hostname.endsWith("]") ? hostname.slice(1, -1) : hostname;
}

function parse(text: string): URL {
  // WHATWG parsing is lenient about white space and control characters; a registered address has none.
  if (/[\s\u0000-\u001f\u007f]/.test(text))
    throw new OutboundError("invalid_url", "the URL contains white space");
  const url = URL.parse(text);
  if (url === null || url.hostname === "") throw new OutboundError("invalid_url", "not an absolute URL");
  return url;
}
