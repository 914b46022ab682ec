/** Characters of a name that are kept. */
const longest = 200;

function part(name: unknown, member: string): string {
  const value: unknown = typeof name === "object" && name !== null ? Reflect.get(name, member) : undefined;
  return typeof value === "string" ? value.trim() : "";
}

/**
 * The name in the member `user` of a posted answer: Apple tells it there, at the first sign-in and never again. Blank when there is none.
 * Nobody has signed it, so it serves as a name to show and nothing else; an e-mail address beside it is not looked at.
 */
export function postedName(user: string): string {
  let document: unknown;
  try {
    document = JSON.parse(user);
  } catch {
    return "";
  }
  const name: unknown =
    typeof document === "object" && document !== null ? Reflect.get(document, "name") : undefined;
  return [part(name, "firstName"), part(name, "lastName")].join(" ").trim().slice(0, longest);
}
