import type { LanguageConfig } from "../config/config.ts";
import type { HttpRequest } from "../platform/http/engine.ts";

/** Normal form of a language tag: lower case, cut at the first `-` or `_`, two letters; undefined when it is none of ours. */
function supported(candidate: string, languages: LanguageConfig): string | undefined {
  const base = candidate.trim().toLowerCase().split(/[-_]/, 1)[0] ?? "";
  return /^[a-z]{2}$/.test(base) && languages.supported.includes(base) ? base : undefined;
}

function cookie(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(";") ?? []) {
    const [key, ...value] = part.split("=");
    if (key?.trim() === name) return value.join("=").trim();
  }
  return undefined;
}

/** `Accept-Language` entries by descending quality; those with `q=0` are dropped. */
function accepted(header: string | undefined): string[] {
  if (header === undefined) return [];
  return header
    .split(",")
    .slice(0, 32)
    .map((entry) => {
      const [tag, ...parameters] = entry.split(";");
      const quality = parameters.map((p) => /^\s*q=([0-9.]+)\s*$/.exec(p)?.[1]).find((q) => q !== undefined);
      return { tag: tag ?? "", quality: quality === undefined ? 1 : Number(quality) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality)
    .map(({ tag }) => tag);
}

/** Language of a request: query `lang`, cookie `lang`, `Accept-Language`, then the default. */
export function negotiateLanguage(request: HttpRequest, languages: LanguageConfig): string {
  const fromQuery = request.query.includes("lang=") ? new URLSearchParams(request.query).get("lang") : null;
  const candidates = [fromQuery ?? "", cookie(request.header("cookie"), "lang") ?? ""];
  for (const candidate of candidates) {
    const language = supported(candidate, languages);
    if (language !== undefined) return language;
  }
  for (const candidate of accepted(request.header("accept-language"))) {
    const language = supported(candidate, languages);
    if (language !== undefined) return language;
  }
  return languages.default;
}
