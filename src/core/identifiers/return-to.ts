/**
 * A place to go back to after a flow, if it is safe to send a browser there: an absolute path of the same origin. `//host`, backslashes,
 * control characters and whatever does not parse as a relative reference are refused.
 */
export function safeReturnTo(text: string | null | undefined): string | undefined {
  if (text == null || !text.startsWith("/") || text.startsWith("//")) return undefined;
  if (/[\\\u0000-\u001f\u007f]/.test(text)) return undefined;
  // A URL parser is what the browser will use: whatever leaves the base's origin in it would leave ours too.
  const base = "https://origin.invalid";
  const parsed = URL.canParse(text, base) ? new URL(text, base) : undefined;
  return parsed?.origin === base ? text : undefined;
}
