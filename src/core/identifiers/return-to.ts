const base = "https://origin.invalid";

/** Whether a browser at the base that is sent to this path stays there. */
function staysHome(text: string): boolean {
  if (!text.startsWith("/") || text.startsWith("//") || /[\\\u0000-\u001f\u007f]/.test(text)) return false;
  // A URL parser is what the browser will use: whatever leaves the base's origin in it would leave ours too.
  const parsed = URL.canParse(text, base) ? new URL(text, base) : undefined;
  return parsed?.origin === base && !parsed.pathname.startsWith("//");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A malformed escape is no escape: the text is judged as it is.
    return text;
  }
}

/**
 * A place to go back to after a flow, if it is safe to send a browser there: an absolute path of the same origin. `//host`, backslashes,
 * control characters and whatever does not parse as a relative reference are refused; so is a path that becomes one of these when a
 * front end decodes it once too often.
 */
export function safeReturnTo(text: string | null | undefined): string | undefined {
  if (text == null) return undefined;
  const [path = ""] = text.split(/[?#]/, 1);
  return staysHome(text) && staysHome(decoded(path)) ? text : undefined;
}
