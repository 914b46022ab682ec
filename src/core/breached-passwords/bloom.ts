import { createHash } from "node:crypto";

/*
 * File: 8 bytes "AKBLOOM1", then little-endian uint32 number of probes, uint32 zero, uint64 number of bits, uint64 number of entries,
 * then the bits, least significant first.
 */
const magic = Buffer.from("AKBLOOM1");
const headerLength = 32;

/** A gigabyte: 450 million entries at one false alarm in ten thousand. Each http worker holds the whole file in memory. */
const maxBytes = 2 ** 30;

/** A set of digests that may claim to hold what it does not, at a known rate, but never the reverse. */
export interface BloomFilter {
  readonly entries: number;
  add(digest: Buffer): void;
  has(digest: Buffer): boolean;
  toBytes(): Buffer;
}

/** How every entry is keyed: SHA-1 of the UTF-8 password, the form in which breach corpora are published. No secrecy rests on it. */
export function passwordDigest(password: string): Buffer {
  return createHash("sha1").update(password).digest();
}

/**
 * An empty filter for `entries` digests (RFC-less, but textbook: m = −n·ln p / ln² 2 bits, k = m/n·ln 2 probes).
 *
 * @throws RangeError when it would pass a gigabyte.
 */
export function createBloomFilter(entries: number, falsePositiveRate: number): BloomFilter {
  if (!(falsePositiveRate > 0 && falsePositiveRate < 1))
    throw new RangeError("the false-positive rate must lie between 0 and 1");
  const perEntry = -Math.log(falsePositiveRate) / Math.LN2 ** 2;
  const bytes = Math.max(8, Math.ceil((perEntry * Math.max(entries, 1)) / 8));
  if (bytes > maxBytes) {
    throw new RangeError(
      `${entries} entries need ${bytes} bytes, more than ${maxBytes}: raise the false-positive rate or drop rare ones`,
    );
  }
  return over(Buffer.alloc(bytes), Math.max(1, Math.round(perEntry * Math.LN2)), 0);
}

/**
 * A filter from its file's bytes.
 *
 * @throws Error when they are not such a file, or a damaged one.
 */
export function readBloomFilter(file: Buffer): BloomFilter {
  if (file.length < headerLength || !file.subarray(0, 8).equals(magic))
    throw new Error("not a breached-password filter");
  const probes = file.readUInt32LE(8);
  const bits = Number(file.readBigUInt64LE(16));
  if (probes < 1 || probes > 64 || bits < 8 || bits / 8 !== file.length - headerLength) {
    throw new Error("damaged breached-password filter");
  }
  return over(file.subarray(headerLength), probes, Number(file.readBigUInt64LE(24)));
}

function over(field: Buffer, probes: number, count: number): BloomFilter {
  const bits = field.length * 8;
  let entries = count;

  /** Bit positions by double hashing (Kirsch, Mitzenmacher 2006); 48-bit halves keep every sum exact in a double. */
  function* positions(digest: Buffer): Generator<number> {
    const start = digest.readUIntBE(0, 6);
    const half = digest.readUIntBE(6, 6);
    // Odd, so that it shares no factor with a power of two; by arithmetic, because bit operators would cut it to 32 signed bits.
    const step = half - (half % 2) + 1;
    for (let probe = 0; probe < probes; probe++) yield (start + probe * step) % bits;
  }

  return {
    get entries() {
      return entries;
    },
    add(digest) {
      for (const bit of positions(digest)) {
        const at = Math.floor(bit / 8);
        field[at] = (field[at] ?? 0) | (1 << (bit % 8));
      }
      entries++;
    },
    has(digest) {
      for (const bit of positions(digest)) {
        if (((field[Math.floor(bit / 8)] ?? 0) & (1 << (bit % 8))) === 0) return false;
      }
      return true;
    },
    toBytes() {
      const header = Buffer.alloc(headerLength);
      magic.copy(header);
      header.writeUInt32LE(probes, 8);
      header.writeBigUInt64LE(BigInt(bits), 16);
      header.writeBigUInt64LE(BigInt(entries), 24);
      return Buffer.concat([header, field]);
    },
  };
}
