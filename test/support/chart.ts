import { createHash } from "node:crypto";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { parse, parseAllDocuments, stringify } from "yaml";

/**
 * Renders the Helm chart with the part of its template language that the chart uses, so that the chart is tested where no `helm` is installed.
 * Anything else in a template is an error here, and then belongs either out of the chart or into this file.
 */
type Scope = { readonly dot: unknown; readonly variables: Readonly<Record<string, unknown>> };
type Node =
  | { readonly text: string }
  | { readonly action: string }
  | {
      readonly block: "if" | "with" | "range";
      readonly head: string;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    };

const chart = join(import.meta.dirname, "../../deploy/kubernetes/authkit-server");

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Go's idea of an empty value. */
function empty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (isRecord(value)) return Object.keys(value).length === 0;
  return value === undefined || value === null || value === false || value === 0 || value === "";
}

function parseTemplate(source: string, defines: Map<string, readonly Node[]>): readonly Node[] {
  const parts = source
    .replaceAll(/\s*\{\{-/g, "{{")
    .replaceAll(/-\}\}\s*/g, "}}")
    .split(/\{\{\s*(.*?)\s*\}\}/s);
  let at = 0;
  const list = (): { nodes: Node[]; end: string } => {
    const nodes: Node[] = [];
    for (; at < parts.length; at++) {
      const part = parts[at] ?? "";
      if (at % 2 === 0) {
        if (part !== "") nodes.push({ text: part });
        continue;
      }
      if (part.startsWith("/*")) continue;
      const [word = "", ...rest] = part.split(/\s+/);
      if (word === "end" || word === "else") return { nodes, end: word };
      at++;
      if (word === "define") defines.set(JSON.parse(rest[0] ?? ""), list().nodes);
      else if (word === "if" || word === "with" || word === "range") {
        const { nodes: body, end } = list();
        let otherwise: readonly Node[] = [];
        if (end === "else") {
          at++;
          otherwise = list().nodes;
        }
        nodes.push({ block: word, head: part.slice(word.length).trim(), body, otherwise });
      } else {
        at--;
        nodes.push({ action: part });
      }
    }
    return { nodes, end: "" };
  };
  return list().nodes;
}

export function renderChart(
  values: Readonly<Record<string, unknown>>,
  release = { Name: "x", Revision: 1, Namespace: "default", Service: "Helm" },
): readonly Record<string, unknown>[] {
  const defines = new Map<string, readonly Node[]>();
  const files = globSync("templates/*", { cwd: chart }).sort();
  const templates = files.map((file) => ({
    file,
    nodes: parseTemplate(readFileSync(join(chart, file), "utf8"), defines),
  }));

  const term = (text: string, scope: Scope): unknown => {
    if (text.startsWith('"')) return JSON.parse(text);
    if (/^-?\d+$/.test(text)) return Number(text);
    const [root = "", ...path] = text.split(".");
    const from = root === "" ? scope.dot : scope.variables[root];
    return path
      .filter((name) => name !== "")
      .reduce((value, name) => (isRecord(value) ? value[name] : undefined), from);
  };
  const apply = (name: string, args: readonly unknown[], scope: Scope): unknown => {
    const [first, second] = args;
    switch (name) {
      case "include":
        return write(defines.get(String(first)) ?? [], { ...scope, dot: second });
      case "dict": {
        const pairs = args.flatMap((key, i) => (i % 2 === 0 ? [[String(key), args[i + 1]] as const] : []));
        return Object.fromEntries(pairs);
      }
      case "printf":
        return args
          .slice(1)
          .reduce<string>((text, value) => text.replace("%s", String(value)), String(first));
      case ".Files.Get":
        return readFileSync(join(chart, String(first)), "utf8");
      case "fail":
        throw new Error(String(first));
      case "int":
        return Number(first);
      case "add":
        return args.reduce<number>((sum, value) => sum + Number(value), 0);
      case "le":
        return Number(first) <= Number(second);
      case "not":
        return empty(first);
      case "quote":
        return JSON.stringify(String(first));
      case "required":
        if (empty(second)) throw new Error(String(first));
        return second;
      case "nindent":
        return `\n${String(second)
          .split("\n")
          .map((line) => (line === "" ? "" : " ".repeat(Number(first)) + line))
          .join("\n")}`;
      case "toYaml":
        return stringify(first).trimEnd();
      case "sha256sum":
        return createHash("sha256").update(String(first)).digest("hex");
      default:
        throw new Error(`the chart uses ${name}, which test/support/chart.ts does not know`);
    }
  };
  /** A pipeline without parentheses. */
  const pipe = (expression: string, scope: Scope): unknown => {
    let piped: readonly unknown[] = [];
    for (const stage of expression.split("|")) {
      const words = stage.match(/"(?:[^"\\]|\\.)*"|\S+/g) ?? [];
      const [head = "", ...rest] = words;
      const value = /^[a-z]|^\.Files\.Get$/i.test(head)
        ? apply(head, [...rest.map((word) => term(word, scope)), ...piped], scope)
        : term(head, scope);
      piped = [value];
    }
    return piped[0];
  };
  /** Innermost parentheses first; what they gave stands in as a variable. */
  const evaluate = (expression: string, scope: Scope): unknown => {
    const given: Record<string, unknown> = {};
    const own: Scope = { ...scope, variables: { ...scope.variables, $given: given } };
    let flat = expression;
    for (let i = 0; flat.includes("("); i++)
      flat = flat.replace(/\(([^()]*)\)/, (_, nested: string) => {
        given[i] = pipe(nested, own);
        return `$given.${i}`;
      });
    return pipe(flat, own);
  };
  const write = (nodes: readonly Node[], scope: Scope): string =>
    nodes
      .map((node): string => {
        if ("text" in node) return node.text;
        if ("action" in node) return String(evaluate(node.action, scope) ?? "");
        if (node.block === "range") {
          const [, key = "", item = "", list = ""] = /^(\$\w+), (\$\w+) := (.*)$/.exec(node.head) ?? [];
          const over = evaluate(list, scope);
          return Object.entries(isRecord(over) ? over : {})
            .sort(([a], [b]) => a.localeCompare(b))
            .map(([name, value]) =>
              write(node.body, { ...scope, variables: { ...scope.variables, [key]: name, [item]: value } }),
            )
            .join("");
        }
        const value = evaluate(node.head, scope);
        if (empty(value)) return write(node.otherwise, scope);
        return write(node.body, node.block === "with" ? { ...scope, dot: value } : scope);
      })
      .join("");

  const dot = {
    Values: merged(parse(readFileSync(join(chart, "values.yaml"), "utf8")), values),
    Release: release,
  };
  return templates
    .filter(({ file }) => !basename(file).startsWith("_"))
    .flatMap(({ nodes }) =>
      parseAllDocuments(write(nodes, { dot, variables: { $: dot } }), { version: "1.1" }),
    )
    .map((document) => {
      if ("errors" in document && document.errors[0] !== undefined) throw document.errors[0];
      return "toJS" in document ? document.toJS() : undefined;
    })
    .filter(isRecord);
}

/** Values of the chart with an operator's own over them, as Helm merges them. */
export function merged(base: unknown, over: unknown): unknown {
  if (!isRecord(base) || !isRecord(over)) return over === undefined ? base : over;
  const names = [...Object.keys(base), ...Object.keys(over)];
  return Object.fromEntries(names.map((name) => [name, merged(base[name], over[name])]));
}
