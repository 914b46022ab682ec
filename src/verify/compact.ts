import { AuthError } from "../contract/errors/index.ts";

const shape = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What base64url text ends in when the unused bits of its last character are zero (RFC 4648 §3.5), by length modulo 4. */
const lastCharacter: readonly (RegExp | undefined)[] = [undefined, /(?!)/, /[AQgw]$/, /[AEIMQUYcgkosw048]$/];

/** Members of a JSON object. */
export type Members = Readonly<Record<string, unknown>>;

/** A token taken apart; nothing in it is verified yet. */
export interface CompactToken {
  readonly header: Members;
  readonly claims: Members;
  /** Top-level members the payload holds more than once. */
  readonly duplicateClaims: readonly string[];
  readonly signingInput: Buffer;
  readonly signature: Buffer;
}

/** Position after the closing quote of the JSON string that starts at `from`. */
function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Names the outermost object of valid JSON `text` holds more than once; escaped spellings count as what they spell. */
export function duplicateMembers(text: string): string[] {
  const seen = new Set<unknown>();
  const twice: string[] = [];
  let depth = 0;
  let expectsName = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = stringEnd(text, at);
      if (depth === 1 && expectsName) {
        const name: unknown = JSON.parse(text.slice(at, end));
        if (seen.has(name) && typeof name === "string") twice.push(name);
        seen.add(name);
        expectsName = false;
      }
      at = end - 1;
    } else if (character === "{" || character === "[") {
      depth++;
      expectsName = depth === 1;
    } else if (character === "}" || character === "]") depth--;
    else if (character === "," && depth === 1) expectsName = true;
  }
  return twice;
}

function decode(segment: string): { readonly members: Members; readonly text: string } | undefined {
  if (lastCharacter[segment.length % 4]?.test(segment) === false) return undefined;
  try {
    const text = utf8.decode(Buffer.from(segment, "base64url"));
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
    return { members: { ...value }, text };
  } catch {
    // Neither UTF-8 nor JSON: one refusal for both.
    return undefined;
  }
}

/**
 * Splits a JWS in compact form (RFC 7515 §7.1). Base64url must be canonical, header and payload JSON objects, header members unique;
 * `crit` is refused, since no extension is understood, and so is an unencoded payload (`b64`, RFC 7797).
 * @throws AuthError `invalid_token`
 */
export function parseCompact(token: string, maxLength: number): CompactToken {
  const segments = token.length > maxLength ? null : shape.exec(token);
  const [, head = "", payload = "", signature = ""] = segments ?? [];
  const header = segments === null ? undefined : decode(head);
  const claims = segments === null ? undefined : decode(payload);
  if (
    header === undefined ||
    claims === undefined ||
    lastCharacter[signature.length % 4]?.test(signature) === false ||
    Object.hasOwn(header.members, "crit") ||
    Object.hasOwn(header.members, "b64") ||
    duplicateMembers(header.text).length > 0
  ) {
    throw new AuthError("invalid_token");
  }
  return {
    header: header.members,
    claims: claims.members,
    duplicateClaims: duplicateMembers(claims.text),
    signingInput: Buffer.from(token.slice(0, head.length + 1 + payload.length), "latin1"),
    signature: Buffer.from(signature, "base64url"),
  };
}
