import { AuthError } from "../../contract/errors/index.ts";

/** What a wallet returns, texts as they came; absent ones are empty. */
export interface WalletOutput {
  readonly address: string;
  readonly publicKey: string;
  /** Base64. */
  readonly signature: string;
  /** Base64 of the signed bytes. */
  readonly signedMessage: string;
}

/** The same, decoded. */
export interface SignedOutput {
  readonly address: string;
  readonly publicKey: Buffer | undefined;
  readonly signature: Buffer;
  readonly signedMessage: Buffer;
}

const standard = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const urlSafe = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2,3})?$/;

/** Base64 with padding, line breaks ignored, or base64url without padding; undefined for anything else. */
export function decodeBase64(text: string): Buffer | undefined {
  const joined = text.replace(/[\r\n]/g, "");
  if (standard.test(joined)) return Buffer.from(joined, "base64");
  return urlSafe.test(joined) ? Buffer.from(joined, "base64url") : undefined;
}

/** Throws `invalid_signature_encoding`, `invalid_message_encoding`, `invalid_request` for an undecodable public key. */
export function decodeOutput(output: WalletOutput): SignedOutput {
  const signature = decodeBase64(output.signature);
  if (signature === undefined) throw new AuthError("invalid_signature_encoding");
  const signedMessage = decodeBase64(output.signedMessage);
  if (signedMessage === undefined) throw new AuthError("invalid_message_encoding");
  const publicKey = output.publicKey === "" ? undefined : decodeBase64(output.publicKey);
  if (output.publicKey !== "" && publicKey === undefined) throw new AuthError("invalid_request");
  return { address: output.address, publicKey, signature, signedMessage };
}
