/**
 * Parses a raw query: first value of each name wins, `+` is a space, malformed escapes stay as they are. Only string members named by the
 * route are kept, so hostile names reach nothing.
 */
export function parseQuery(raw: string, names: readonly string[]): Record<string, string> {
  const found: Record<string, string> = {};
  if (raw === "") return found;
  const parameters = new URLSearchParams(raw);
  for (const name of names) {
    const value = parameters.get(name);
    if (value !== null) found[name] = value;
  }
  return found;
}
