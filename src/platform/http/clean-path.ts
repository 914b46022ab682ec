const unclean = /\/(?:\/|\.{1,2}(?:\/|$))/;

/**
 * The path without empty and dot segments; a trailing slash stays, and a clean path comes back as it is. Works on the escaped path, so `%2F`
 * and `%2e` are plain text.
 */
export function cleanPath(path: string): string {
  if (!unclean.test(path)) return path;
  const kept: string[] = [];
  for (const segment of path.split("/")) {
    if (segment === "..") kept.pop();
    else if (segment !== "" && segment !== ".") kept.push(segment);
  }
  const directory = /\/\.{0,2}$/.test(path) && kept.length > 0;
  return `/${kept.join("/")}${directory ? "/" : ""}`;
}
