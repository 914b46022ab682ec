import { AuthError } from "../contract/errors/index.ts";
import { tokenType, typOf } from "./claims.ts";
import type { CompactToken } from "./compact.ts";

const maxReferences = 16;
const maxBytes = 4096;
const digest = /^sha256:[0-9a-f]{64}$/;
const documentType = /^[^\s\p{Cc}]+\/v(?:0|[1-9][0-9]*)$/u;

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * References to signed documents: `<type>` → `sha256:<hex>`. Empty when the token has none.
 * @throws AuthError `duplicate_document_reference`, `reserved_document_attribute`, `documents_wrong_token_type`,
 *   `invalid_document_reference`, `too_many_document_references`, `document_references_too_large`
 */
export function documentReferences({
  header,
  claims,
  duplicateClaims,
}: CompactToken): Record<string, string> {
  if (duplicateClaims.includes("documents")) throw new AuthError("duplicate_document_reference");
  const { attributes, documents } = claims;
  if (isRecord(attributes) && Object.hasOwn(attributes, "documents"))
    throw new AuthError("reserved_document_attribute");
  if (documents === undefined) return {};
  if (typOf(header) !== tokenType.delegated) throw new AuthError("documents_wrong_token_type");
  if (!isRecord(documents)) throw new AuthError("invalid_document_reference");
  const entries = Object.entries(documents);
  if (entries.length > maxReferences) throw new AuthError("too_many_document_references");
  const found: Record<string, string> = {};
  for (const [name, value] of entries) {
    const type = name.trim();
    const reference = typeof value === "string" ? value.trim() : "";
    if (!documentType.test(type) || Buffer.byteLength(type) > 256 || !digest.test(reference))
      throw new AuthError("invalid_document_reference");
    if (Object.hasOwn(found, type)) throw new AuthError("duplicate_document_reference");
    found[type] = reference;
  }
  if (Buffer.byteLength(JSON.stringify(found)) > maxBytes)
    throw new AuthError("document_references_too_large");
  return found;
}
