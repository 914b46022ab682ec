import { createHash } from "node:crypto";
import type { DocumentEnvelope, SignedDocument } from "../../contract/dtos/documents.ts";
import { AuthError } from "../../contract/errors/index.ts";
import { isDocumentType } from "./document-references.ts";
import { encodeJson } from "./json.ts";
import { assertSigner, distinctTexts, type MintContext } from "./mint-input.ts";
import { tokenType } from "./typ.ts";

const maxIssuerBytes = 2048;
const maxAudienceBytes = 512;
const maxAudiences = 32;
const maxPayloadBytes = 1 << 20;
const maxSignedBytes = maxPayloadBytes + (16 << 10);
const maxCompactBytes = 2 << 20;

/**
 * Signs a document: compact JSON with the members `iss`, `aud`, `type`, `payload` in this order. It does not expire; its identity is the
 * SHA-256 of the signed bytes.
 * @throws AuthError `missing_signer`, `document_issuer_mismatch`, `invalid_document_envelope`, `document_payload_too_large`
 */
export function signDocument(context: MintContext, envelope: DocumentEnvelope): SignedDocument {
  const { config, signer } = context;
  assertSigner(context);
  const issuer = envelope.iss.trim() || config.issuer;
  if (issuer !== config.issuer) throw new AuthError("document_issuer_mismatch");
  const audiences = distinctTexts(envelope.aud);
  if (
    Buffer.byteLength(issuer) > maxIssuerBytes ||
    audiences.length === 0 ||
    audiences.length > maxAudiences ||
    audiences.some((audience) => Buffer.byteLength(audience) > maxAudienceBytes) ||
    !isDocumentType(envelope.type) ||
    envelope.payload === null
  ) {
    throw new AuthError("invalid_document_envelope");
  }
  const payload = encodeJson(envelope.payload);
  if (Buffer.byteLength(payload) > maxPayloadBytes) throw new AuthError("document_payload_too_large");
  const head = `{"iss":${encodeJson(issuer)},"aud":${encodeJson(audiences)},"type":${encodeJson(envelope.type)}`;
  const signed = Buffer.from(`${head},"payload":${payload}}`);
  if (signed.length > maxSignedBytes) throw new AuthError("document_payload_too_large");
  const jws = signer.sign(tokenType.document, signed);
  if (jws.length > maxCompactBytes) throw new AuthError("document_payload_too_large");
  const digest = `sha256:${createHash("sha256").update(signed).digest("hex")}`;
  return { jws, reference: { type: envelope.type, digest }, signedPayload: signed };
}
