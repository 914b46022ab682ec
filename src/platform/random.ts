import { randomBytes, randomInt } from "node:crypto";

/** The only source of randomness (CSPRNG). */
export interface Random {
  bytes(count: number): Buffer;
  /** Base64url text of `count` random bytes, without padding; 32 bytes give the 43 characters of every opaque token. */
  token(count?: number): string;
  /** `count` uniformly distributed decimal digits. */
  digits(count: number): string;
  /** `count` characters drawn uniformly from `alphabet`. */
  characters(alphabet: string, count: number): string;
  /** RFC 9562 UUIDv7, lower-case: sortable by creation time, made in the process so that any PostgreSQL works. */
  uuid(): string;
}

const hex: readonly string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));

function uuidv7(now: number): string {
  const b = randomBytes(16);
  b.writeUIntBE(now, 0, 6);
  b[6] = ((b[6] ?? 0) & 0x0f) | 0x70;
  b[8] = ((b[8] ?? 0) & 0x3f) | 0x80;
  let text = "";
  for (let i = 0; i < 16; i++) {
    text += hex[b[i] ?? 0];
    if (i === 3 || i === 5 || i === 7 || i === 9) text += "-";
  }
  return text;
}

export const systemRandom: Random = {
  bytes: (count) => randomBytes(count),
  token: (count = 32) => randomBytes(count).toString("base64url"),
  digits: (count) => Array.from({ length: count }, () => randomInt(10)).join(""),
  characters: (alphabet, count) =>
    Array.from({ length: count }, () => alphabet[randomInt(alphabet.length)]).join(""),
  uuid: () => uuidv7(Date.now()),
};
