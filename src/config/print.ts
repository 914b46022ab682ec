import { stringify } from "yaml";
import type { Config } from "./config.ts";

const mask = "********";

/** Members of the configuration that are secrets wherever they stand. */
const secretMembers = new Set([
  ...[
    "password",
    "sentinelPassword",
    "tokens",
    "introspectToken",
    "activePrivateKeyPem",
    "keyringSecret",
    "totpSecretKey",
  ],
  ...["codeSecret", "clientSecret", "privateKeyPem", "authToken", "secret", "mintSecret"],
]);

/** Addresses that may carry credentials. `url` and `issuer` are plain web addresses elsewhere and pass unchanged. */
const addressMembers = new Set([
  "url",
  "redirectUri",
  "authorizationUrl",
  "tokenUrl",
  "userInfoUrl",
  "publicUrl",
]);

/** The effective configuration as YAML with every secret masked; unset members read `null`. */
export function printConfig(config: Config): string {
  return stringify(shown(config, ""), { lineWidth: 0 });
}

function shown(value: unknown, member: string): unknown {
  if (value === undefined) return null;
  // `tokens` is also the section of token lifetimes: only the list below `management` holds secrets.
  if (secretMembers.has(member) && !isPlain(value))
    return Array.isArray(value) ? value.map(() => mask) : mask;
  if (ArrayBuffer.isView(value)) return mask;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item) => shown(item, ""));
  if (isPlain(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shown(inner, key)]));
  }
  return typeof value === "string" && addressMembers.has(member) ? withoutCredentials(value) : value;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** Masks passwords in URLs (userinfo and query) and in keyword/value connection strings. */
export function withoutCredentials(address: string): string {
  return address
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@/i, (_whole, scheme: string, userinfo: string) => {
      const colon = userinfo.indexOf(":");
      return `${scheme}${colon < 0 ? userinfo : `${userinfo.slice(0, colon)}:${mask}`}@`;
    })
    .replace(
      /((?:^|[\s?&])[a-z_]*(?:password|passwd|secret|token|key)\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]*)/gi,
      `$1${mask}`,
    );
}
