import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from "node:crypto";
import { encodeBase58 } from "../../../src/core/solana/base58.ts";
import type { WalletOutput } from "../../../src/core/solana/signed-output.ts";

/** A wallet as a browser extension is one: a key, and what it returns when asked to sign. */
export interface TestWallet {
  readonly key: KeyObject;
  readonly publicKey: Buffer;
  readonly address: string;
  output(message: string | Buffer): WalletOutput;
  /** The request body of login and link. */
  body(message: string | Buffer): { output: Record<string, unknown> };
}

export function testWallet(seed: Buffer = randomBytes(32)): TestWallet {
  const key = createPrivateKey({
    key: Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]),
    format: "der",
    type: "pkcs8",
  });
  const publicKey = createPublicKey(key).export({ format: "der", type: "spki" }).subarray(-32);
  const address = encodeBase58(publicKey);
  const output = (message: string | Buffer): WalletOutput => {
    const bytes = Buffer.from(message);
    return {
      address,
      publicKey: publicKey.toString("base64"),
      signature: sign(null, bytes, key).toString("base64"),
      signedMessage: bytes.toString("base64"),
    };
  };
  return {
    key,
    publicKey,
    address,
    output,
    body(message) {
      const { signature, signedMessage, publicKey: text } = output(message);
      return { output: { account: { address, publicKey: text }, signature, signedMessage } };
    },
  };
}
