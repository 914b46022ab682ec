import type { BrowserErrorEntry } from "./browser.ts";

const acronyms = new Set([
  "2fa",
  "oidc",
  "siws",
  "api",
  "sms",
  "url",
  "id",
  "jwt",
  "ttl",
  "ip",
  "otp",
  "rbac",
  "totp",
  "sns",
]);

/** `oidc_begin_failed` → `OIDC begin failed.` */
export function humanize(code: string): string {
  const words = code.split("_").map((word) => (acronyms.has(word) ? word.toUpperCase() : word));
  const first = words[0] ?? "";
  words[0] = first.charAt(0).toUpperCase() + first.slice(1);
  return `${words.join(" ")}.`;
}

/** The envelope's `type` follows from the status alone. */
export function errorType(status: number): string {
  if (status === 401) return "authentication_error";
  if (status === 403) return "authorization_error";
  if (status === 429) return "rate_limit_error";
  return status >= 500 ? "api_error" : "invalid_request_error";
}

/** The envelope of an error as it is sent to browsers and by resource servers, with its final line feed. */
export function errorEnvelope(
  code: string,
  status: number,
  entry: Partial<BrowserErrorEntry>,
  metadata: Readonly<Record<string, unknown>> | undefined,
): string {
  const error: Record<string, unknown> = {
    type: errorType(status),
    code,
    message: entry.message ?? humanize(code),
  };
  if (status === 400 && entry.param !== undefined) error["param"] = entry.param;
  if (metadata !== undefined && Object.keys(metadata).length > 0) error["metadata"] = metadata;
  return `${JSON.stringify({ error })}\n`;
}
