import { AuthError } from "../../contract/errors/index.ts";

/** Normal form of a stored preference: trimmed, lower case, two letters. Throws `invalid_preferred_language`. */
export function parseLanguage(text: string): string {
  const language = text.trim().toLowerCase();
  if (!/^[a-z]{2}$/.test(language)) throw new AuthError("invalid_preferred_language");
  return language;
}

/** A language tag cut to its primary subtag, when that is one of the supported two-letter codes. */
export function matchLanguage(tag: string, supported: readonly string[]): string | undefined {
  const primary = tag.trim().toLowerCase().split(/[-_]/, 1)[0] ?? "";
  return /^[a-z]{2}$/.test(primary) && supported.includes(primary) ? primary : undefined;
}

/** The first of the candidates that is supported. Blank and unknown ones are passed over. */
export function negotiateLanguage(
  candidates: Iterable<string | undefined>,
  supported: readonly string[],
  fallback: string,
): string {
  for (const candidate of candidates) {
    const match = candidate === undefined ? undefined : matchLanguage(candidate, supported);
    if (match !== undefined) return match;
  }
  return fallback;
}

/** Tags of an `Accept-Language` header, most wanted first; those with `q=0` are left out (RFC 9110 §12.5.4). At most 20 are read. */
export function acceptedLanguages(header: string): string[] {
  return header
    .split(",", 20)
    .map((part, order) => {
      const [tag = "", ...parameters] = part.split(";");
      const quality = parameters
        .map((p) => /^\s*q\s*=\s*([0-9.]+)\s*$/i.exec(p)?.[1])
        .find((q) => q !== undefined);
      const weight = quality === undefined ? 1 : Number(quality);
      return { tag: tag.trim(), weight: Number.isNaN(weight) ? 0 : weight, order };
    })
    .filter(({ tag, weight }) => tag !== "" && weight > 0)
    .sort((a, b) => b.weight - a.weight || a.order - b.order)
    .map(({ tag }) => tag);
}
