import { bytes, dto, field, type Infer, type InferArgs, json, list, string } from "../types.ts";

/** A document to sign. */
export const DocumentEnvelope = dto("DocumentEnvelope", ["0.97"], {
  iss: field("iss", string),
  aud: field("aud", list(string)),
  type: field("type", string),
  payload: field("payload", json),
});
export type DocumentEnvelope = Infer<typeof DocumentEnvelope>;
export type DocumentEnvelopeInput = InferArgs<typeof DocumentEnvelope>;

/** Names a document by type and digest. */
export const DocumentReference = dto("DocumentReference", ["0.97"], {
  type: field("type", string),
  digest: field("digest", string),
});
export type DocumentReference = Infer<typeof DocumentReference>;

/** A signed document and its reference. */
export const SignedDocument = dto("SignedDocument", ["0.97"], {
  jws: field("jws", string),
  reference: field("reference", DocumentReference),
  signedPayload: field("signed_payload", bytes),
});
export type SignedDocument = Infer<typeof SignedDocument>;
