import {
  formatIp,
  type IpAddress,
  inRange,
  parseIp,
  parseRange,
} from "../../platform/outbound/ip-address.ts";

/** All values of a request header, by lower-case name, in the order received. */
export type HeaderValues = (name: string) => readonly string[];

/** The client's address in canonical spelling; undefined when the peer has none (a Unix socket). */
export type ClientIpResolver = (peer: string, headers: HeaderValues) => string | undefined;

/** Hops looked at, so that a header of thousands of entries costs nothing. */
const maxHops = 64;

const notPublic = [
  ...[
    "0.0.0.0/32",
    "127.0.0.0/8",
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "169.254.0.0/16",
    "224.0.0.0/4",
  ],
  ...["::/128", "::1/128", "fc00::/7", "fe80::/10", "ff00::/8"],
].map(parseRange);

/**
 * Whose address a request counts for. Forwarding headers are believed only from a peer in `trustedCidrs`: `CF-Connecting-IP` first
 * when `trustCloudflare`, then `X-Forwarded-For` from the right, past trusted hops and unreadable entries, to the first other
 * address. That one must be public; otherwise the peer counts.
 *
 * `onIgnored` is told once of a private peer that forwards without being trusted: most likely a proxy that nobody has declared, behind
 * which all clients would share one counter.
 *
 * @throws Error naming an entry of `trustedCidrs` that is no CIDR range.
 */
export function createClientIpResolver(
  trustedCidrs: readonly string[],
  trustCloudflare: boolean,
  onIgnored?: (peer: string) => void,
): ClientIpResolver {
  const trusted = trustedCidrs.map(parseRange);
  let unheard = onIgnored;
  const isTrusted = (address: IpAddress) => trusted.some((range) => inRange(address, range));

  return (peerText, headers) => {
    const peer = parseHop(peerText);
    if (peer === undefined) return undefined;
    if (!isTrusted(peer)) {
      if (unheard !== undefined && !isPublic(peer) && headers("x-forwarded-for").length > 0) {
        unheard(formatIp(peer));
        unheard = undefined;
      }
      return formatIp(peer);
    }
    const client =
      (trustCloudflare ? fromCloudflare(headers) : undefined) ?? fromForwardedFor(headers, isTrusted);
    return formatIp(client ?? peer);
  };
}

/** Only a single public address counts: several mean that somebody added one. */
function fromCloudflare(headers: HeaderValues): IpAddress | undefined {
  const [value, ...more] = headers("cf-connecting-ip");
  if (value === undefined || more.length > 0) return undefined;
  const address = parseIp(value.trim());
  return address !== undefined && isPublic(address) ? address : undefined;
}

function fromForwardedFor(
  headers: HeaderValues,
  isTrusted: (address: IpAddress) => boolean,
): IpAddress | undefined {
  const hops = headers("x-forwarded-for").join(",").split(",");
  for (const hop of hops.slice(-maxHops).reverse()) {
    const address = parseHop(hop.trim());
    if (address === undefined || isTrusted(address)) continue;
    return isPublic(address) ? address : undefined;
  }
  return undefined;
}

/** An address as proxies write it: alone, `1.2.3.4:5678`, `[2001:db8::1]` or `[2001:db8::1]:5678`. */
function parseHop(text: string): IpAddress | undefined {
  const bracketed = /^\[([^\]]*)\](?::\d+)?$/.exec(text);
  if (bracketed !== null) return parseIp(bracketed[1] ?? "");
  const withPort = /^(\d+\.\d+\.\d+\.\d+):\d+$/.exec(text);
  return parseIp(withPort?.[1] ?? text);
}

function isPublic(address: IpAddress): boolean {
  return !notPublic.some((range) => inRange(address, range));
}
