import { suggestion } from "./nearest.ts";
import { sections } from "./sections.ts";
import { isEmpty, type Position, refuse } from "./shape.ts";
import type { MapTree, Tree } from "./tree.ts";
import { variables } from "./variables.ts";

/** A value of the YAML file with its place. */
export interface Located {
  readonly tree: Tree;
  readonly at: Position;
}

/** Every dotted path the YAML file may have. */
export function knownPaths(): readonly string[] {
  return [
    ...Object.values(variables).flatMap(({ yaml }) => (yaml === undefined ? [] : [yaml])),
    ...Object.values(sections).map(({ yaml }) => yaml),
  ];
}

/**
 * Finds the known settings in a parsed file. Unknown keys are refused with the nearest known one. `allowed` narrows the paths for
 * files that hold one part only.
 */
export function locate(
  tree: Tree,
  root: Position,
  allowed: readonly string[] = knownPaths(),
): ReadonlyMap<string, Located> {
  const found = new Map<string, Located>();
  if (tree.kind === "map") walk(tree, "", { root, allowed, found });
  else refuse({ ...root, path: "the file" }, "is not a map of settings");
  return found;
}

interface Search {
  readonly root: Position;
  readonly allowed: readonly string[];
  readonly found: Map<string, Located>;
}

function walk(map: MapTree, prefix: string, search: Search): void {
  for (const [key, { line, value }] of map.entries) {
    const path = prefix + key;
    // Editors of JSON files name the schema this way; it is no setting.
    if (path === "$schema") continue;
    const at: Position = { ...search.root, path, line };
    if (search.allowed.includes(path)) {
      if (!isEmpty(value)) search.found.set(path, { tree: value, at });
    } else if (search.allowed.some((known) => known.startsWith(`${path}.`))) {
      if (value.kind === "map") walk(value, `${path}.`, search);
      else if (!isEmpty(value)) refuse(at, "is not a map of settings");
    } else {
      refuse(at, "is not a known setting", suggestion(path, siblings(prefix, search.allowed)));
    }
  }
}

/** The names that may stand at this depth. */
function siblings(prefix: string, allowed: readonly string[]): Set<string> {
  const below = allowed.filter((known) => known.startsWith(prefix));
  return new Set(below.map((known) => prefix + (known.slice(prefix.length).split(".")[0] ?? "")));
}
