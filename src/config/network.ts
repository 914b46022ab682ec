import { isIP, isIPv4 } from "node:net";
import type { ListenAddress } from "./config.ts";
import { BadValue, scalarType, textLike, type ValueType } from "./values.ts";

/** A CIDR range. A bare address is refused: whether `/32` or a whole network was meant must be written down. */
export const cidr = textLike(
  "CIDR",
  "a CIDR range such as `10.0.0.0/8` or `fd00::/8` (a single address needs `/32` or `/128`)",
  (value) => {
    const [, address = "", bits = ""] = /^([0-9a-fA-F:.]+)\/(\d{1,3})$/.exec(value) ?? [];
    const family = isIP(address);
    if (family === 0) throw new BadValue(isIP(value) === 0 ? "is no CIDR range" : "lacks the prefix length");
    if (Number(bits) > (family === 4 ? 32 : 128)) throw new BadValue("has a prefix length out of range");
    return `${address}/${Number(bits)}`;
  },
);

/** `[host]:port`, an IPv6 host in brackets; an empty host means every interface. */
export const listenAddress: ValueType<ListenAddress> = scalarType(
  "address",
  "`[host]:port`, for example `:8080`, `127.0.0.1:8080` or `[::1]:8080`",
  { type: "string" },
  parseListenAddress,
);

function parseListenAddress(value: string): ListenAddress {
  const [, bracketed, plain, portText = ""] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(value) ?? [];
  const port = Number(portText);
  if (portText === "") throw new BadValue("is not `[host]:port`");
  if (port > 65_535) throw new BadValue("has a port above 65535");
  if (bracketed !== undefined && isIP(bracketed.replace(/%.*$/, "")) !== 6)
    throw new BadValue("has brackets around what is no IPv6 address");
  const host = bracketed ?? plain ?? "";
  if (bracketed === undefined && host !== "" && !isHostName(host)) throw new BadValue("has no valid host");
  return { host: host === "" ? undefined : host, port };
}

/** Text of a listen address, as `listenAddress` reads it. */
export function formatListenAddress({ host, port }: ListenAddress): string {
  if (host === undefined) return `:${port}`;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only processes of this machine can reach the address. */
export function isLoopback(host: string | undefined): boolean {
  if (host === undefined) return false;
  const bare = host.replace(/^\[|\]$/g, "").toLowerCase();
  if (isIPv4(bare)) return bare.startsWith("127.");
  return bare === "localhost" || bare.endsWith(".localhost") || bare === "::1";
}

export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** `host:port` with the port optional; IPv6 in brackets. Throws {@link BadValue}. */
export function parseHostPort(value: string, defaultPort: number): HostPort {
  const [matched, bracketed, plain, portText] =
    /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(value) ?? [];
  const host = bracketed ?? plain;
  if (matched === undefined || host === undefined) throw new BadValue("is not `host:port`");
  if (bracketed !== undefined ? isIP(bracketed) !== 6 : !isHostName(host))
    throw new BadValue("has no valid host");
  const port = portText === undefined ? defaultPort : Number(portText);
  if (port < 1 || port > 65_535) throw new BadValue("has a port out of range");
  return { host, port };
}

/** An IPv4 address or a DNS name (also with underscores, as container networks use them). */
export function isHostName(value: string): boolean {
  return /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*\.?$/.test(
    value,
  );
}

const webSchema = { type: "string", pattern: "^https?://" } as const;

/** An absolute `http` or `https` address without credentials, query and fragment; trailing slashes removed. */
export const baseAddress = textLike(
  "URL",
  "an absolute URL with scheme and host, without query and fragment, for example `https://auth.example.com`",
  (value) => {
    const url = webUrl(value);
    if (url.search !== "" || url.hash !== "" || /[?#]/.test(value))
      throw new BadValue("has a query or a fragment");
    return value.replace(/\/+$/, "");
  },
  webSchema,
);

/** An absolute `http` or `https` address without credentials. */
export const webAddress = textLike(
  "URL",
  "an absolute http or https URL",
  (value) => {
    webUrl(value);
    return value;
  },
  webSchema,
);

/** A web origin, normalised (lower case, default port removed). */
export const origin = textLike(
  "origin",
  "an origin such as `https://app.example.com`",
  (value) => {
    const url = webUrl(value);
    if (url.pathname !== "/" || url.search !== "" || url.hash !== "")
      throw new BadValue("has more than scheme, host and port");
    return url.origin;
  },
  webSchema,
);

function webUrl(value: string): URL {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:\/\/[^/]/i.test(value))
    throw new BadValue("is no absolute http or https URL");
  if (url.username !== "" || url.password !== "") throw new BadValue("carries credentials");
  return url;
}

/** A lower-cased host name, as relying-party ids of passkeys are. */
export const hostName = textLike("host", "a host name without scheme, port and path", (value) => {
  const lower = value.toLowerCase();
  if (!isHostName(lower) && isIP(lower) === 0) throw new BadValue("is no host name");
  return lower;
});

/** A path on the front end: starts with one `/`, no host, no fragment; a query is allowed. */
export const frontendPath = textLike(
  "path",
  "a path starting with `/`, without scheme, host and `#`",
  (value) => {
    if (!value.startsWith("/")) throw new BadValue("does not start with `/`");
    if (/^[/\\]{2}/.test(value) || value.startsWith("/\\")) throw new BadValue("names a host");
    if (value.includes("#")) throw new BadValue("has a fragment");
    if (/[\s\\\p{Cc}]/u.test(value))
      throw new BadValue("has white space, a backslash or a control character");
    return value;
  },
  { type: "string", pattern: "^/[^/\\\\#]?[^#]*$" },
);

/** Where the API mounts: trailing slashes dropped, `/` = the root. */
export const apiPrefix = textLike(
  "path",
  "a path starting with `/`, for example `/api/v1`; `/` mounts at the root",
  (value) => {
    if (!value.startsWith("/")) throw new BadValue("does not start with `/`");
    const trimmed = value.replace(/\/+$/, "");
    if (!/^(\/[A-Za-z0-9._~-]+)*$/.test(trimmed) || /\/\.\.?(\/|$)/.test(trimmed))
      throw new BadValue("has an empty segment or a character routes cannot have");
    if (/^\/(v1(\/call(\/.*)?)?|(\.well-known|healthz|readyz|metrics)(\/.*)?)$/.test(trimmed)) {
      throw new BadValue("collides with paths of the server itself");
    }
    return trimmed;
  },
);
