import { suggestion } from "./nearest.ts";
import type { Findings } from "./problems.ts";
import { BadValue } from "./values.ts";
import type { Variable } from "./variable.ts";
import { retired, variables } from "./variables.ts";

export interface EnvironmentSource {
  readonly env: NodeJS.ProcessEnv;
  readonly readFile: (path: string) => string;
  readonly findings: Findings;
}

/** A value as the environment gives it, and the name it came from. */
interface Given {
  readonly name: string;
  readonly text: string;
}

/** The variable's value from the environment, its `_FILE` or an alias; undefined when none is set or usable. */
export function readVariable<T>(
  variable: Variable<T>,
  source: EnvironmentSource,
): NonNullable<T> | undefined {
  const given = lookUp(variable, source);
  if (given === undefined) return undefined;
  try {
    return variable.type.read(given.text);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    const shown = variable.secret ? "the value" : JSON.stringify(given.text);
    if (variable.type.lenient) {
      source.findings.warn(
        given.name,
        `${shown} ${error.message}: the default is used; must be ${variable.type.accepts}`,
      );
    } else {
      source.findings.refuse(given.name, `${shown} ${error.message}`, `must be ${variable.type.accepts}`);
    }
    return undefined;
  }
}

function lookUp<T>(variable: Variable<T>, source: EnvironmentSource): Given | undefined {
  const found: Given[] = [];
  for (const { name, deprecated } of [{ name: variable.name, deprecated: false }, ...variable.aliases]) {
    const given = direct(name, variable, source);
    if (given === undefined) continue;
    if (deprecated) source.findings.warn(given.name, `is an old name; use ${variable.name}`);
    found.push(given);
  }
  const [first, ...others] = found;
  const different = others.find((other) => other.text !== first?.text);
  if (first !== undefined && different !== undefined) {
    source.findings.refuse(
      first.name,
      `and ${different.name} are both set, to different values`,
      "not both: keep one of the two",
    );
  }
  return first;
}

function direct<T>(name: string, variable: Variable<T>, source: EnvironmentSource): Given | undefined {
  const text = trimmed(source.env[name], variable);
  const path = variable.file ? (source.env[`${name}_FILE`] ?? "").trim() : "";
  if (path === "") return text === undefined ? undefined : { name, text };
  if (text !== undefined) {
    source.findings.refuse(`${name}_FILE`, `is set beside ${name}`, "keep one of the two");
    return undefined;
  }
  return fromFile(`${name}_FILE`, path, variable, source);
}

function fromFile<T>(
  name: string,
  path: string,
  variable: Variable<T>,
  source: EnvironmentSource,
): Given | undefined {
  let content: string;
  try {
    content = source.readFile(path);
  } catch (error) {
    source.findings.refuse(name, `${JSON.stringify(path)} cannot be read: ${reason(error)}`);
    return undefined;
  }
  // Editors and secret stores end files with a line break that is no part of the secret.
  const text = trimmed(content.replace(/\r?\n$/, ""), variable);
  if (text === undefined) source.findings.refuse(name, `${JSON.stringify(path)} is empty`);
  return text === undefined ? undefined : { name, text };
}

function trimmed<T>(text: string | undefined, variable: Variable<T>): string | undefined {
  const value = variable.verbatim ? text : text?.trim();
  return value === "" ? undefined : value;
}

/** Short reason of a failed file access, without a stack. */
export function reason(error: unknown): string {
  if (error instanceof Error && "code" in error && typeof error.code === "string") return error.code;
  return error instanceof Error ? error.message : String(error);
}

/** Every name the table makes known, with `_FILE` forms and aliases. */
export function knownNames(): ReadonlySet<string> {
  const names = new Set<string>();
  for (const variable of Object.values(variables)) {
    for (const name of [variable.name, ...variable.aliases.map((alias) => alias.name)]) {
      names.add(name);
      if (variable.file) names.add(`${name}_FILE`);
    }
  }
  return names;
}

/** Variables a container platform sets for a service that happens to be called `authkit…`. */
const serviceLink = /_(SERVICE_(HOST|PORT(_[A-Z0-9_]+)?)|PORT(_\d+_(TCP|UDP)(_(PROTO|PORT|ADDR))?)?)$/;

/** Set by the primary for the workers it forks. */
const internal = new Set(["AUTHKIT_WORKER"]);

/** Warns of every `AUTHKIT_*` variable nothing reads: a typing error would otherwise be silent. */
export function warnOfUnknownNames(env: NodeJS.ProcessEnv, findings: Findings): void {
  const known = knownNames();
  for (const name of Object.keys(env).sort()) {
    if (!name.startsWith("AUTHKIT_") || known.has(name) || internal.has(name) || serviceLink.test(name))
      continue;
    if (name.endsWith("_FILE") && known.has(name.slice(0, -5))) {
      findings.warn(name, `is not read: ${name.slice(0, -5)} is no secret and has no _FILE form`);
      continue;
    }
    const hint = retired[name] ?? `is not a known variable${after(suggestion(name, known))}`;
    findings.warn(name, hint);
  }
}

function after(hint: string | undefined): string {
  return hint === undefined ? "" : `; ${hint}`;
}
