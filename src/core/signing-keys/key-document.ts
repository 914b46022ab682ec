import type { Log } from "../../platform/log/port.ts";
import { SigningKeyError } from "./errors.ts";
import type { KeyMaterial } from "./key-set.ts";
import { parsePrivateKey } from "./pem.ts";
import { parsePublicKeys } from "./source.ts";

/** The envelope of `keys.json`. Unknown members are ignored. */
export interface KeyDocument {
  readonly active_key_id: string;
  readonly active_private_key_pem: string;
  readonly public_keys?: Readonly<Record<string, string>>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * Decodes a `keys.json`. `where` names the file in messages.
 * @throws SigningKeyError when it is no JSON, a required member is missing or blank, or the active key cannot be used
 */
export function parseKeyDocument(text: string, where: string, log: Log): KeyMaterial {
  let decoded: unknown;
  try {
    decoded = JSON.parse(text);
  } catch {
    // The parser's message quotes the text around the fault, which may be key material.
    throw new SigningKeyError(`${where} is not valid JSON`);
  }
  if (!isRecord(decoded)) throw new SigningKeyError(`${where} must hold a JSON object`);
  const kid = decoded["active_key_id"];
  const pem = decoded["active_private_key_pem"];
  const listed = decoded["public_keys"] ?? {};
  if (typeof kid !== "string" || kid.trim() === "") throw new SigningKeyError(`${where} lacks active_key_id`);
  if (typeof pem !== "string" || pem.trim() === "")
    throw new SigningKeyError(`${where} lacks active_private_key_pem`);
  if (!isRecord(listed)) throw new SigningKeyError(`public_keys of ${where} must be an object of PEM texts`);
  const pems: Record<string, string> = {};
  for (const [id, value] of Object.entries(listed)) {
    if (typeof value !== "string")
      throw new SigningKeyError(`public_keys entry ${id} of ${where} must be a PEM text`);
    pems[id] = value;
  }
  return {
    active: { kid: kid.trim(), privateKey: parsePrivateKey(pem, `active_private_key_pem of ${where}`) },
    others: parsePublicKeys(pems, where, log),
  };
}
