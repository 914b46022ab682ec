/** Longest stored hash looked at: every format known fits in a quarter of it. */
export const maxHashLength = 1024;

/** Standard base64 without padding (the PHC string format). Undefined for anything else. */
export function decodePhcBase64(text: string): Buffer | undefined {
  if (!/^[A-Za-z0-9+/]+$/.test(text) || text.length % 4 === 1) return undefined;
  return Buffer.from(text, "base64");
}

/** Base64 as exports of other systems carry it: either alphabet, `.` for `+` (passlib), padding optional. */
export function decodeLooseBase64(text: string): Buffer | undefined {
  const bare = text.replace(/={1,2}$/, "");
  if (!/^[A-Za-z0-9+/._-]+$/.test(bare) || bare.length % 4 === 1) return undefined;
  return Buffer.from(bare.replaceAll(".", "+"), "base64");
}

/** Lower- or upper-case hexadecimal, whole bytes. */
export function decodeHex(text: string): Buffer | undefined {
  return /^(?:[0-9a-fA-F]{2})+$/.test(text) ? Buffer.from(text, "hex") : undefined;
}

/** A decimal number as hash strings write it: digits only, at most ten of them. */
export function decodeInteger(text: string | undefined): number | undefined {
  return text !== undefined && /^[0-9]{1,10}$/.test(text) ? Number(text) : undefined;
}

/** `a=1,b=2` → map of texts; undefined when a part has no `=` or a name repeats. */
export function decodeParameters(text: string): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  for (const part of text.split(",")) {
    const at = part.indexOf("=");
    if (at < 1 || found.has(part.slice(0, at))) return undefined;
    found.set(part.slice(0, at), part.slice(at + 1));
  }
  return found;
}

/** Whether imported `hash_params` are a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
