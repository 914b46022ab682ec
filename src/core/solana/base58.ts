const alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const digitOf = new Map([...alphabet].map((character, value) => [character, value]));

/** Longest text decoded; the work grows with the square of the length. */
const maxLength = 128;
/** Bytes of an address, which is an Ed25519 public key. */
const addressLength = 32;

/** Digits of `from` in base `base`, both with the most significant digit first; leading zeros are not looked at. */
function convert(digits: readonly number[], from: number, base: number): number[] {
  const result: number[] = [];
  for (const digit of digits) {
    let carry = digit;
    for (let at = 0; at < result.length; at++) {
      carry += (result[at] ?? 0) * from;
      result[at] = carry % base;
      carry = Math.floor(carry / base);
    }
    for (; carry > 0; carry = Math.floor(carry / base)) result.push(carry % base);
  }
  return result.reverse();
}

/** Base58 with the alphabet of Bitcoin; each leading zero byte is a `1`. */
export function encodeBase58(bytes: Uint8Array): string {
  const zeros = bytes.findIndex((byte) => byte !== 0);
  const leading = "1".repeat(zeros < 0 ? bytes.length : zeros);
  return (
    leading +
    convert([...bytes], 256, 58)
      .map((digit) => alphabet[digit])
      .join("")
  );
}

/** The bytes of a base58 text; undefined when it is empty, too long, or holds any other character. */
export function decodeBase58(text: string): Buffer | undefined {
  if (text === "" || text.length > maxLength) return undefined;
  const digits: number[] = [];
  for (const character of text) {
    const digit = digitOf.get(character);
    if (digit === undefined) return undefined;
    digits.push(digit);
  }
  const other = digits.findIndex((digit) => digit !== 0);
  const zeros = other < 0 ? digits.length : other;
  return Buffer.concat([Buffer.alloc(zeros), Buffer.from(convert(digits, 58, 256))]);
}

/** The public key an address is; undefined when the text is no address. That the point is on the curve is not checked. */
export function decodeAddress(address: string): Buffer | undefined {
  const bytes = decodeBase58(address);
  return bytes?.length === addressLength ? bytes : undefined;
}
