import { AuthError } from "../../contract/errors/index.ts";
import { documentReferences } from "../tokens/document-references.ts";
import { tokenType } from "../tokens/typ.ts";
import type { CompactToken } from "./compact.ts";

function isTexts(value: object): value is Record<string, string> {
  return Object.values(value).every((item) => typeof item === "string");
}

/**
 * References to signed documents in a delegated token (later generation of the contract).
 * @throws AuthError `duplicate_document_reference`, `documents_wrong_token_type`, `reserved_document_attribute`,
 *   `invalid_document_reference`, `too_many_document_references`, `document_references_too_large`
 */
export function checkDocumentClaim({ header, claims, duplicateClaims }: CompactToken): void {
  if (duplicateClaims.includes("documents")) throw new AuthError("duplicate_document_reference");
  const { attributes, documents } = claims;
  if (typeof attributes === "object" && attributes !== null && Object.hasOwn(attributes, "documents")) {
    throw new AuthError("reserved_document_attribute");
  }
  if (documents === undefined) return;
  const typ = header["typ"];
  if (typeof typ !== "string" || typ.trim().toLowerCase() !== tokenType.delegated) {
    throw new AuthError("documents_wrong_token_type");
  }
  if (
    typeof documents !== "object" ||
    documents === null ||
    Array.isArray(documents) ||
    !isTexts(documents)
  ) {
    throw new AuthError("invalid_document_reference");
  }
  documentReferences(documents);
}
