import { AuthError } from "../../contract/errors/index.ts";
import { encodeSorted } from "./json.ts";

const maxReferences = 16;
const maxReferenceBytes = 4096;
const maxTypeBytes = 256;
const digest = /^sha256:[0-9a-f]{64}$/;
const versioned = /\/v(?:0|[1-9][0-9]*)$/;
const forbidden = /[\s\p{Cc}]/u;

/** A document type: at most 256 bytes, no spaces or control characters, ending in `/v<N>` without leading zero. */
export function isDocumentType(type: string): boolean {
  return (
    type !== "" && Buffer.byteLength(type) <= maxTypeBytes && !forbidden.test(type) && versioned.test(type)
  );
}

/**
 * The `documents` claim of a delegated token; undefined when there are none.
 * @throws AuthError `too_many_document_references`, `invalid_document_reference`, `duplicate_document_reference` (equal after trimming),
 *   `document_references_too_large`
 */
export function documentReferences(
  documents: Readonly<Record<string, string>>,
): Record<string, string> | undefined {
  const entries = Object.entries(documents);
  if (entries.length === 0) return undefined;
  if (entries.length > maxReferences) throw new AuthError("too_many_document_references");
  const references = new Map<string, string>();
  for (const [name, value] of entries) {
    const type = name.trim();
    const reference = value.trim();
    if (!isDocumentType(type) || !digest.test(reference)) throw new AuthError("invalid_document_reference");
    if (references.has(type)) throw new AuthError("duplicate_document_reference");
    references.set(type, reference);
  }
  const claim = Object.fromEntries(references);
  if (Buffer.byteLength(encodeSorted(claim)) > maxReferenceBytes)
    throw new AuthError("document_references_too_large");
  return claim;
}
