import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { type BloomFilter, createBloomFilter, passwordDigest } from "./bloom.ts";

export interface BuildOptions {
  /** Chance that a password on no list is refused. */
  readonly falsePositiveRate: number;
  /** Lines `HASH:COUNT` with a smaller count are left out; lines without count are always taken. */
  readonly minCount: number;
}

const hashLine = /^([0-9A-Fa-f]{40})(?::(\d+))?$/;

/**
 * Builds a filter from a file with one entry a line: all SHA-1 in hexadecimal with optional `:count` (the format of Pwned Passwords), or all
 * plain passwords. The first line decides. Reads the file twice, so that the filter has the right size, and holds only the filter.
 *
 * @throws Error when the file cannot be read, mixes the two kinds, or holds nothing.
 */
export async function buildFilter(path: string, options: BuildOptions): Promise<BloomFilter> {
  let count = 0;
  for await (const _ of digests(path, options.minCount)) count++;
  if (count === 0) throw new Error(`${path} holds no entries`);
  const filter = createBloomFilter(count, options.falsePositiveRate);
  for await (const digest of digests(path, options.minCount)) filter.add(digest());
  return filter;
}

/** One function a taken line, so that the counting pass computes nothing. */
async function* digests(path: string, minCount: number): AsyncGenerator<() => Buffer> {
  let hashed: boolean | undefined;
  let number = 0;
  for await (const line of createInterface({
    input: createReadStream(path),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    number++;
    if (line === "") continue;
    const match = hashLine.exec(line);
    hashed ??= match !== null;
    if (!hashed) {
      yield () => passwordDigest(line);
      continue;
    }
    if (match === null) throw new Error(`${path}:${number}: not a SHA-1 line, although the first one is`);
    if (match[2] !== undefined && Number(match[2]) < minCount) continue;
    yield () => Buffer.from(match[1] ?? "", "hex");
  }
}
