import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** Where this program is installed: the directory of its `package.json`. The same for the sources and for what was made from them. */
export const installation = rootAbove(import.meta.dirname);

function rootAbove(directory: string): string {
  if (existsSync(join(directory, "package.json"))) return directory;
  const parent = dirname(directory);
  if (parent === directory) throw new Error("there is no package.json above the program");
  return rootAbove(parent);
}
