import { AuthError } from "../../contract/errors/index.ts";

/** Slug of a group instance or application: 1–253 characters, dots between labels allowed, no `..`. Lower case only. */
export function isSlug(text: string): boolean {
  return text.length <= 253 && /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(text) && !text.includes("..");
}

/** Names of personas and of the roles of groups. */
export function isPersonaOrRole(text: string): boolean {
  return /^[a-z][a-z0-9-]*$/.test(text);
}

/** Role carried by an API key. */
export function isApiKeyRole(text: string): boolean {
  return /^[a-zA-Z0-9:_-]{1,64}$/.test(text);
}

/** Key of an attribute definition. */
export function isAttributeKey(text: string): boolean {
  return /^[a-zA-Z0-9:._-]{1,128}$/.test(text);
}

/** Key a user may write into the account's metadata: 1–128 printable ASCII characters without space. */
export function isMetadataKey(text: string): boolean {
  return /^[\x21-\x7e]{1,128}$/.test(text);
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether the text is a UUID in its canonical layout, in either case. */
export function isUuid(text: string): boolean {
  return uuid.test(text);
}

/** A user id in the form stored; surrounding space is dropped. Throws `invalid_user` for anything that cannot be one. */
export function parseUserId(text: string): string {
  const id = text.trim().toLowerCase();
  if (!uuid.test(id)) throw new AuthError("invalid_user");
  return id;
}

/** Whether PostgreSQL can store the text: it refuses U+0000. */
export function isStorable(text: string): boolean {
  return !text.includes("\u0000");
}

/** The same for JSON text stored as `jsonb`, where the character can also hide behind an escape. */
export function isStorableJson(json: string): boolean {
  return isStorable(json) && !/(?<!\\)(?:\\\\)*\\u0000/.test(json);
}
