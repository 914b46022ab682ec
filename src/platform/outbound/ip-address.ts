import { isIP } from "node:net";

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

/** Parses a textual address without brackets or port; undefined when it is none. */
export function parseIp(text: string): IpAddress | undefined {
  const plain = text.includes("%") ? text.slice(0, text.indexOf("%")) : text;
  switch (isIP(plain)) {
    case 4:
      return { family: 4, bytes: plain.split(".").map(Number) };
    case 6: {
      const bytes = ipv6Bytes(plain);
      const mapped =
        bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff && bytes[11] === 0xff;
      return mapped ? { family: 4, bytes: bytes.slice(12) } : { family: 6, bytes };
    }
    default:
      return undefined;
  }
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

function ipv6Bytes(text: string): number[] {
  const quad = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  const hexText = quad === null ? text : `${quad[1]}${quadGroups(quad[2] ?? "")}`;
  const [head = "", tail] = hexText.split("::");
  const left = groupsOf(head);
  const right = tail === undefined ? [] : groupsOf(tail);
  const gap = tail === undefined ? 0 : 8 - left.length - right.length;
  const groups = [...left, ...Array.from({ length: gap }, () => 0), ...right];
  return groups.flatMap((group) => [group >> 8, group & 0xff]);
}

function quadGroups(quad: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = quad.split(".").map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}

function groupsOf(text: string): number[] {
  return text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16));
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
