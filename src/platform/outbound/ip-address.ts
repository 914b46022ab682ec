/** An address in one canonical form: IPv4-mapped IPv6 becomes IPv4, zones are dropped. */
export interface IpAddress {
  readonly family: 4 | 6;
  /** 4 or 16 bytes. */
  readonly bytes: readonly number[];
}

export interface IpRange {
  readonly family: 4 | 6;
  readonly bytes: readonly number[];
  readonly prefix: number;
}

/**
 * Parses a textual address without brackets or port; undefined when it is none. Reads what `isIP` of `node:net` accepts, without its pattern for IPv6, which
 * takes longer to compile than most of what a process does at its start.
 */
export function parseIp(text: string): IpAddress | undefined {
  const plain = text.includes("%") ? text.slice(0, text.indexOf("%")) : text;
  if (!plain.includes(":")) {
    const bytes = ipv4Bytes(plain);
    return bytes === undefined ? undefined : { family: 4, bytes };
  }
  const bytes = ipv6Bytes(plain);
  if (bytes === undefined) return undefined;
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
  return mapped ? { family: 4, bytes: bytes.slice(12) } : { family: 6, bytes };
}

/** Shortest common spelling: dotted quad, or RFC 5952 lower-case groups with the longest run of zeros left out. */
export function formatIp({ family, bytes }: IpAddress): string {
  if (family === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    (((bytes[i * 2] ?? 0) << 8) | (bytes[i * 2 + 1] ?? 0)).toString(16),
  );
  const run = longestZeroRun(groups);
  if (run.length < 2) return groups.join(":");
  return `${groups.slice(0, run.start).join(":")}::${groups.slice(run.start + run.length).join(":")}`;
}

/**
 * Parses `address/prefix`; an address alone is a range of one.
 *
 * @throws Error naming the text when it is no range.
 */
export function parseRange(text: string): IpRange {
  const [addressText = "", prefixText, ...rest] = text.trim().split("/");
  const address = parseIp(addressText);
  if (address === undefined || rest.length > 0)
    throw new Error(`"${text}" is not an IP address or CIDR range`);
  const bits = address.bytes.length * 8;
  if (prefixText === undefined) return { ...address, prefix: bits };
  // A mapped range counts its prefix in 128 bits.
  const prefix = Number(prefixText) - (addressText.includes(":") && address.family === 4 ? 96 : 0);
  if (!/^\d{1,3}$/.test(prefixText) || prefix < 0 || prefix > bits) {
    throw new Error(`"${text}" has no valid prefix length (0–${bits})`);
  }
  return { ...address, prefix };
}

export function inRange(address: IpAddress, range: IpRange): boolean {
  if (address.family !== range.family) return false;
  const whole = range.prefix >> 3;
  for (let i = 0; i < whole; i++) if (address.bytes[i] !== range.bytes[i]) return false;
  const rest = range.prefix & 7;
  if (rest === 0) return true;
  const mask = (0xff << (8 - rest)) & 0xff;
  return ((address.bytes[whole] ?? 0) & mask) === ((range.bytes[whole] ?? 0) & mask);
}

/** The network an address lies in, written as `address/prefix`. */
export function networkOf(address: IpAddress, prefix: number): string {
  const bytes = address.bytes.map(
    (byte, i) => byte & (0xff << (8 - Math.min(8, Math.max(0, prefix - i * 8)))) & 0xff,
  );
  return `${formatIp({ family: address.family, bytes })}/${prefix}`;
}

/** A dotted quad without leading zeros. */
function ipv4Bytes(text: string): number[] | undefined {
  if (!/^\d{1,3}(\.\d{1,3}){3}$/.test(text)) return undefined;
  const parts = text.split(".");
  const bytes = parts.map(Number);
  return bytes.every((byte, i) => byte < 256 && String(byte) === parts[i]) ? bytes : undefined;
}

/** RFC 4291 §2.2: eight groups, or fewer around one `::`; the last two may be a dotted quad. */
function ipv6Bytes(text: string): number[] | undefined {
  const [head = "", tail, ...more] = text.split("::");
  if (more.length > 0) return undefined;
  const left = groupBytes(head, tail === undefined);
  const right = tail === undefined ? [] : groupBytes(tail, true);
  if (left === undefined || right === undefined) return undefined;
  const gap = 16 - left.length - right.length;
  if (tail === undefined ? gap !== 0 : gap < 2) return undefined;
  return [...left, ...Array.from({ length: gap }, () => 0), ...right];
}

/** Bytes of colon-separated groups, at the end of an address perhaps with a dotted quad for the last. */
function groupBytes(text: string, atEnd: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const groups = text.split(":");
  for (const [i, group] of groups.entries()) {
    const quad = atEnd && i === groups.length - 1 ? ipv4Bytes(group) : undefined;
    if (quad !== undefined) bytes.push(...quad);
    else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return bytes;
}

function longestZeroRun(groups: readonly string[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (let i = 0; i <= groups.length; i++) {
    if (groups[i] === "0") continue;
    if (i - start > best.length) best = { start, length: i - start };
    start = i + 1;
  }
  return best;
}
