import { DocumentEnvelope, SignedDocument } from "../dtos/documents.ts";
import { field } from "../types.ts";
import { method } from "./method.ts";

/** Methods of the topic Documents. */
export const documentsMethods = {
  signDocument: method({
    name: "SignDocument",
    topic: "Documents",
    generations: ["0.97"],
    args: { envelope: field("envelope", DocumentEnvelope) },
    result: SignedDocument,
    errors: [
      "document_digest_collision",
      "document_issuer_mismatch",
      "document_payload_too_large",
      "invalid_document_envelope",
      "missing_signer",
      "unsupported_document_signer",
    ],
    // A payload of one mebibyte is allowed, and grows by its escapes.
    bodyLimit: 8_388_608,
    mutates: { kind: "document", result: "reference.digest" },
  }),
};
