/*
 * ECDSA signatures cross the wire as R and S side by side (RFC 7518 §3.4); libraries make and check them as DER (RFC 3279 §2.2.3). `node:crypto`
 * converts as well, but asking it to takes an options object around the key, and finding out that this is no key costs it more than the
 * signature.
 */

/** Bytes of a signature by its algorithm: R and S, each as long as the order of the curve; undefined for algorithms of another kind. */
export const ecdsaLength: Readonly<Record<string, number | undefined>> = { ES256: 64, ES384: 96, ES512: 132 };

const sequence = 0x30;
const integer = 0x02;
const longForm = 0x81;

/** Where the significant bytes of a number begin; the last byte always is one. */
function significant(bytes: Buffer, from: number, to: number): number {
  let at = from;
  while (at < to - 1 && bytes[at] === 0) at++;
  return at;
}

/** The DER form of R and S side by side; of an odd number of bytes, which are no signature, one that never verifies. */
export function derSignature(signature: Buffer): Buffer {
  const half = signature.length >> 1;
  const r = significant(signature, 0, half);
  const s = significant(signature, half, half * 2);
  // A set first bit would make the number negative.
  const rPad = (signature[r] ?? 0) >> 7;
  const sPad = (signature[s] ?? 0) >> 7;
  const rLength = half - r + rPad;
  const sLength = half * 2 - s + sPad;
  const length = rLength + sLength + 4;
  const head = length > 0x7f ? [sequence, longForm, length] : [sequence, length];
  const der = Buffer.alloc(head.length + length);
  let at = head.length;
  for (const [index, byte] of head.entries()) der[index] = byte;
  der[at++] = integer;
  der[at++] = rLength;
  signature.copy(der, at + rPad, r, half);
  at += rLength;
  der[at++] = integer;
  der[at++] = sLength;
  signature.copy(der, at + sPad, s, half * 2);
  return der;
}

/**
 * R and S side by side, `length` bytes in all, of the DER form that a library made.
 *
 * @throws RangeError for bytes that are no such signature.
 */
export function joseSignature(der: Buffer, length: number): Buffer {
  const half = length >> 1;
  const signature = Buffer.alloc(length);
  let at = der[1] === longForm ? 3 : 2;
  for (const end of [half, length]) {
    const size = der[at + 1] ?? 0;
    const to = at + 2 + size;
    const from = significant(der, at + 2, to);
    if (der[at] !== integer || size === 0 || to > der.length || to - from > half)
      throw new RangeError("no ECDSA signature of this length");
    der.copy(signature, end - (to - from), from, to);
    at = to;
  }
  return signature;
}
