/** An API key taken apart. */
export interface ApiKeyText {
  readonly keyId: string;
  readonly secret: string;
}

/** What every API key of a deployment starts with: `<prefix>_st_`, or `st_` without a prefix. */
export function apiKeyMarker(prefix: string): string {
  const trimmed = prefix.trim();
  return trimmed === "" ? "st_" : `${trimmed}_st_`;
}

/** Splits `<marker><key id>_<secret>` at the first underscore after the marker; undefined when a part is missing. */
export function parseApiKey(text: string, marker: string): ApiKeyText | undefined {
  if (!text.startsWith(marker)) return undefined;
  const rest = text.slice(marker.length);
  const separator = rest.indexOf("_");
  if (separator <= 0 || separator === rest.length - 1) return undefined;
  return { keyId: rest.slice(0, separator), secret: rest.slice(separator + 1) };
}
