import { BadValue } from "./values.ts";

const encodings: readonly { readonly form: RegExp; readonly encoding: "hex" | "base64" | "base64url" }[] = [
  { form: /^(?:[0-9a-fA-F]{2})+$/, encoding: "hex" },
  { form: /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, encoding: "base64" },
  { form: /^[A-Za-z0-9+/]+$/, encoding: "base64" },
  { form: /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?$/, encoding: "base64url" },
  { form: /^[A-Za-z0-9_-]+$/, encoding: "base64url" },
];

/**
 * Key material written as text: hexadecimal, then base64 (padded, bare, URL-safe padded, URL-safe bare), then (`raw`) the bytes as they are; the
 * first reading with one of the wanted sizes wins. Throws {@link BadValue}.
 */
export function decodeKeyBytes(text: string, sizes: readonly number[], options: { raw: boolean }): Buffer {
  const trimmed = text.trim();
  for (const { form, encoding } of encodings) {
    if (!form.test(trimmed)) continue;
    const decoded = Buffer.from(trimmed, encoding);
    if (sizes.includes(decoded.length)) return decoded;
  }
  const raw = Buffer.from(trimmed, "utf8");
  if (options.raw && sizes.includes(raw.length)) return raw;
  throw new BadValue("does not have the right length");
}
