import type { Findings } from "./problems.ts";
import { type EnvironmentSource, readVariable, reason, warnOfUnknownNames } from "./read-environment.ts";
import { type Located, locate } from "./read-file.ts";
import { type SectionValues, sections } from "./sections.ts";
import { leaf, type Position } from "./shape.ts";
import { parseTree, type Tree } from "./tree.ts";
import type { Variable } from "./variable.ts";
import { type Values, type VariableKey, variables } from "./variables.ts";

/** Everything the operator gave, with defaults applied where nothing was. */
export interface Settings {
  readonly values: Values;
  /** The keys somebody set, in the environment or the file. */
  readonly given: ReadonlySet<VariableKey>;
  readonly sections: SectionValues;
}

/** Reads environment and files. Problems and warnings go to the findings; unusable values count as not given. */
export function readSettings(source: EnvironmentSource): Settings {
  warnOfUnknownNames(source.env, source.findings);
  const located = locateFiles(source);
  const given = new Set<VariableKey>();
  const values: Record<string, unknown> = {};
  for (const [key, variable] of entriesOf(variables)) {
    const value = readOne(variable, located, source);
    if (value !== undefined) given.add(key);
    values[key] = value ?? variable.default;
  }
  return { values: values as Values, given, sections: readSections(located) };
}

function entriesOf<T extends object>(table: T): [keyof T, T[keyof T]][] {
  return Object.entries(table) as [keyof T, T[keyof T]][];
}

function readOne(
  variable: Variable<unknown>,
  located: ReadonlyMap<string, Located>,
  source: EnvironmentSource,
): unknown {
  // The file's value is checked even when the environment overrides it, so that a mistake does not wait for its day.
  const inFile = variable.yaml === undefined ? undefined : located.get(variable.yaml);
  const fromFile = inFile && leaf(variable.type, { secret: variable.secret }).read(inFile.tree, inFile.at);
  return readVariable(variable, source) ?? fromFile;
}

function readSections(located: ReadonlyMap<string, Located>): SectionValues {
  const read: Record<string, unknown> = {};
  for (const [key, { yaml, shape }] of entriesOf(sections)) {
    const found = located.get(yaml);
    read[key] = found && shape.read(found.tree, found.at);
  }
  return read as SectionValues;
}

/** The main file, and the files that hold one part of it. */
function locateFiles(source: EnvironmentSource): ReadonlyMap<string, Located> {
  const all = new Map<string, Located>();
  const add = (found: ReadonlyMap<string, Located>): void => {
    for (const [path, value] of found) {
      const earlier = all.get(path);
      if (earlier === undefined) all.set(path, value);
      else
        source.findings.refuse(
          `${value.at.file}:${value.at.line}: ${path}`,
          `is also given in ${earlier.at.file}`,
          "keep one",
        );
    }
  };
  add(readYaml(variables.configFile, source, (tree, root) => locate(tree, root)));
  add(
    readYaml(variables.rbacFile, source, (tree, root) =>
      locate(tree, root, ["personas", "api_keys.prefix", "api_keys.max_ttl"]),
    ),
  );
  add(readYaml(variables.providersFile, source, locateProviders));
  return all;
}

/** The providers file is the list itself, or a map with the one key `providers`. */
function locateProviders(tree: Tree, root: Position): ReadonlyMap<string, Located> {
  if (tree.kind !== "list") return locate(tree, root, ["providers"]);
  return new Map([["providers", { tree, at: { ...root, path: "providers", line: tree.line } }]]);
}

function readYaml(
  variable: Variable<string | undefined>,
  source: EnvironmentSource,
  find: (tree: Tree, root: Position) => ReadonlyMap<string, Located>,
): ReadonlyMap<string, Located> {
  const { env, findings, readFile } = source;
  // Read without findings: the table's own pass reports a bad path.
  const path = (env[variable.name] ?? "").trim();
  if (path === "") return new Map();
  const content = contentOf(path, variable.name, source);
  const tree = content === undefined ? undefined : parseTree(content, { file: path, env, findings });
  return tree === undefined ? new Map() : find(tree, { file: path, path: "", line: 1, findings, readFile });
}

function contentOf(
  path: string,
  name: string,
  { readFile, findings }: { readFile: (path: string) => string; findings: Findings },
) {
  try {
    return readFile(path);
  } catch (error) {
    findings.refuse(name, `${JSON.stringify(path)} cannot be read: ${reason(error)}`);
    return undefined;
  }
}
