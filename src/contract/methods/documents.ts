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
      "document_payload_too_large",
      "invalid_document_envelope",
      "missing_signer",
      "unsupported_document_signer",
    ],
    mutates: { kind: "document", result: "reference.digest" },
  }),
};
