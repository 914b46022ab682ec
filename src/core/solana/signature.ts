import { createPublicKey, type KeyObject, verify } from "node:crypto";

/** 2^255 − 19, the prime of the field. */
const prime = 2n ** 255n - 19n;
/** Order of the base point's group. */
const order = 2n ** 252n + 27742317777372353535851937790883648493n;
/** SubjectPublicKeyInfo of an Ed25519 key up to the key itself (RFC 8410). */
const spkiPrefix = Buffer.from("302a300506032b6570032100", "hex");

/** y coordinates of the points of order 1, 2, 4 and 8: every signature can be made to verify under them. */
const smallOrder: ReadonlySet<bigint> = new Set([
  0n,
  1n,
  prime - 1n,
  BigInt("0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7"),
  BigInt("0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826"),
]);

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString("hex")}`);
}

/** Whether the key is canonically encoded and generates the whole group, as every key a wallet makes does. */
function isSoundKey(publicKey: Buffer): boolean {
  if (publicKey.length !== 32) return false;
  const y = littleEndian(publicKey) & (2n ** 255n - 1n);
  return y < prime && !smallOrder.has(y);
}

function keyObject(publicKey: Buffer): KeyObject {
  return createPublicKey({ key: Buffer.concat([spkiPrefix, publicKey]), format: "der", type: "spki" });
}

/**
 * Whether `signature` is the Ed25519 signature of exactly these bytes (RFC 8032 §5.1.7). Strict: keys of small order, non-canonical keys and
 * a non-canonical S are refused, so a text has one signature only.
 */
export function isSignedBy(publicKey: Buffer, message: Buffer, signature: Buffer): boolean {
  if (signature.length !== 64 || !isSoundKey(publicKey)) return false;
  if (littleEndian(signature.subarray(32)) >= order) return false;
  try {
    return verify(null, message, keyObject(publicKey), signature);
  } catch {
    // Bytes that are no point of the curve.
    return false;
  }
}
