import { createHash } from "node:crypto";
import type { DocumentEnvelope, SignedDocument } from "../../contract/dtos/documents.ts";
import { AuthError } from "../../contract/errors/index.ts";
import type { Platform } from "../platform.ts";
import type { TokenMint } from "../tokens/index.ts";
import { signedDocumentStore } from "./store.ts";

/** A stored document as its readers get it. */
export interface PublishedDocument {
  readonly jws: string;
  /** Quoted entity tag: changes with the signature. */
  readonly etag: string;
}

/** Documents this server signs, found again by the digest of what was signed (spec 30 §1.9). */
export interface SignedDocuments {
  /**
   * Signs, and where documents are served stores, an envelope. Throws what `signDocument` does, and `document_digest_collision`.
   */
  sign(envelope: DocumentEnvelope): Promise<SignedDocument>;
  /** Undefined when unknown. Throws `service_unavailable` when what is stored does not belong together, or cannot be read. */
  read(digest: string): Promise<PublishedDocument | undefined>;
}

const sha256 = (data: Uint8Array | string): string =>
  `sha256:${createHash("sha256").update(data).digest("hex")}`;
const digestSyntax = /^sha256:[0-9a-f]{64}$/;

/** See {@link SignedDocuments}. */
export function createSignedDocuments(
  { config, database, clock }: Pick<Platform, "config" | "database" | "clock">,
  mint: Pick<TokenMint, "signDocument">,
): SignedDocuments {
  return {
    async sign(envelope) {
      const signed = mint.signDocument(envelope);
      if (config.documents === undefined) return signed;
      const { type, digest } = signed.reference;
      const { jws } = signed;
      const signedPayload = signed.signedPayload ?? new Uint8Array();
      if (!(await signedDocumentStore.upsert(database, digest, { type, jws, signedPayload }, clock.now())))
        throw new AuthError("document_digest_collision");
      return signed;
    },

    async read(digest) {
      if (!digestSyntax.test(digest)) return undefined;
      const found = await signedDocumentStore.byDigest(database, digest);
      if (found === undefined) return undefined;
      const payload = Buffer.from(found.jws.split(".")[1] ?? "", "base64url");
      if (sha256(found.signedPayload) !== digest || !payload.equals(found.signedPayload))
        throw new AuthError("service_unavailable", { cause: new Error("a stored document is damaged") });
      return { jws: found.jws, etag: `"${sha256(found.jws)}"` };
    },
  };
}
