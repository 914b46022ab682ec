import { AuthError } from "../../contract/errors/index.ts";

/** Longer than any token of ours, document references included. */
const maxTokenLength = 32 * 1024;
const shape = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Characters base64url text of `length` ends in when the unused bits of the last one are zero (RFC 4648 §3.5). */
const lastOfTwo = /[AQgw]$/;
const lastOfThree = /[AEIMQUYcgkosw048]$/;

export type JsonMembers = Readonly<Record<string, unknown>>;

/** A token taken apart; nothing in it is verified yet. */
export interface CompactToken {
  readonly header: JsonMembers;
  readonly claims: JsonMembers;
  /** Top-level members the payload holds twice. */
  readonly duplicateClaims: readonly string[];
  readonly signingInput: Buffer;
  readonly signature: Buffer;
}

function isCanonical(text: string): boolean {
  switch (text.length % 4) {
    case 1:
      return false;
    case 2:
      return lastOfTwo.test(text);
    case 3:
      return lastOfThree.test(text);
    default:
      return true;
  }
}

/** End of the JSON string that starts at `from`, after its closing quote. */
function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

/** Names of members the outermost object of valid JSON `text` holds more than once. Escapes count: `"\u0061"` equals `"a"`. */
export function duplicateMembers(text: string): string[] {
  const seen = new Set<string>();
  const twice: string[] = [];
  let depth = 0;
  let expectsName = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') {
      const end = stringEnd(text, at);
      if (depth === 1 && expectsName) {
        const name: unknown = JSON.parse(text.slice(at, end));
        if (typeof name === "string" && seen.size === seen.add(name).size) twice.push(name);
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

function decode(segment: string): { members: JsonMembers; text: string } | undefined {
  try {
    const text = utf8.decode(Buffer.from(segment, "base64url"));
    const members: unknown = JSON.parse(text);
    if (typeof members !== "object" || members === null || Array.isArray(members)) return undefined;
    return { members: { ...members }, text };
  } catch {
    // Neither UTF-8 nor JSON: one refusal for both.
    return undefined;
  }
}

/**
 * Splits a JWS in compact form (RFC 7515 §7.1). Base64url must be canonical, header and payload JSON objects, header members unique;
 * a `crit` header is refused, since no extension is understood.
 * @throws AuthError `invalid_token`
 */
export function parseCompact(token: string): CompactToken {
  const segments = token.length > maxTokenLength ? null : shape.exec(token);
  const [, head = "", payload = "", signature = ""] = segments ?? [];
  if (segments === null || !isCanonical(head) || !isCanonical(payload) || !isCanonical(signature)) {
    throw new AuthError("invalid_token");
  }
  const header = decode(head);
  const claims = decode(payload);
  if (header === undefined || claims === undefined) throw new AuthError("invalid_token");
  if (duplicateMembers(header.text).length > 0 || Object.hasOwn(header.members, "crit")) {
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
