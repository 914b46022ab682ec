/** Nesting beyond what any attestation object has. */
const maxDepth = 16;

/** Where the head of the item at `at` ends, and its argument (RFC 8949 §3). */
function head(bytes: Buffer, at: number): { readonly end: number; readonly argument: number } | undefined {
  const info = (bytes[at] ?? 0) & 0x1f;
  if (info < 24) return { end: at + 1, argument: info };
  const size = [1, 2, 4][info - 24];
  // 64-bit lengths exceed any body of ours, and indefinite ones are forbidden in CTAP2 canonical CBOR.
  if (size === undefined || at + 1 + size > bytes.length) return undefined;
  return { end: at + 1 + size, argument: bytes.readUIntBE(at + 1, size) };
}

function itemEnd(bytes: Buffer, at: number, depth: number): number | undefined {
  const first = bytes[at];
  if (first === undefined || depth > maxDepth) return undefined;
  const major = first >> 5;
  const read = head(bytes, at);
  if (major === 7) return first === 0xfb && at + 9 <= bytes.length ? at + 9 : read?.end;
  if (major < 2) return first % 32 === 27 && at + 9 <= bytes.length ? at + 9 : read?.end;
  if (read === undefined) return undefined;
  if (major === 2 || major === 3) {
    const end = read.end + read.argument;
    return end <= bytes.length ? end : undefined;
  }
  const items = major === 5 ? read.argument * 2 : major === 4 ? read.argument : 1;
  let end: number | undefined = read.end;
  for (let i = 0; i < items && end !== undefined; i++) end = itemEnd(bytes, end, depth + 1);
  return end;
}

/**
 * Whether the bytes are exactly one CBOR item. The decoder used for attestation objects stops after the first item, and whatever follows it
 * would be accepted unseen.
 */
export function isOneCborItem(bytes: Buffer): boolean {
  return itemEnd(bytes, 0, 0) === bytes.length;
}
