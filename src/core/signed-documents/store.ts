import { type Queryable, sql } from "../../platform/postgres/port.ts";

// A document signed anew after a change of keys replaces the signature; everything else of a digest is settled.
const upsert = sql(
  "signedDocuments.upsert",
  (s) => `
  INSERT INTO ${s}.signed_documents AS stored (digest, document_type, compact_jws, signed_payload, created_at, updated_at)
  VALUES ($1, $2, $3, $4, $5, $5)
  ON CONFLICT (digest) DO UPDATE SET compact_jws = excluded.compact_jws, updated_at = excluded.updated_at
  WHERE stored.document_type = excluded.document_type AND stored.signed_payload = excluded.signed_payload`,
);

const byDigest = sql(
  "signedDocuments.byDigest",
  (s) =>
    `SELECT compact_jws AS "jws", signed_payload AS "signedPayload" FROM ${s}.signed_documents WHERE digest = $1`,
);

export const signedDocumentStore = {
  /** False when the digest is taken by something else. */
  async upsert(
    on: Queryable,
    digest: string,
    document: { readonly type: string; readonly jws: string; readonly signedPayload: Uint8Array },
    at: Date,
  ): Promise<boolean> {
    const { type, jws, signedPayload } = document;
    return (await on.run(upsert, [digest, type, jws, Buffer.from(signedPayload), at])) > 0;
  },
  byDigest: (on: Queryable, digest: string) =>
    on.row<{ readonly jws: string; readonly signedPayload: Buffer }>(byDigest, [digest]),
};
