import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { Findings } from "./problems.ts";

/** A YAML document as plain data that still knows its lines. */
export type Tree = ScalarTree | ListTree | MapTree;

export interface ScalarTree {
  readonly kind: "scalar";
  /** As written (numbers keep all their digits), `${NAME}` replaced. */
  readonly text: string;
  readonly value: string | number | boolean | null;
  readonly line: number;
}

export interface ListTree {
  readonly kind: "list";
  readonly items: readonly Tree[];
  readonly line: number;
}

export interface MapTree {
  readonly kind: "map";
  readonly entries: ReadonlyMap<string, { readonly line: number; readonly value: Tree }>;
  readonly line: number;
}

export interface YamlSource {
  /** Name in messages. */
  readonly file: string;
  readonly env: NodeJS.ProcessEnv;
  readonly findings: Findings;
}

const deepest = 32;

/**
 * Parses a YAML (or JSON) file. `${NAME}` in any string is replaced by that environment variable, `$${` stands for `${`.
 * Syntax errors, duplicate keys and unset variables are reported with their line. Undefined when the file cannot be used.
 */
export function parseTree(content: string, source: YamlSource): Tree | undefined {
  const lines = new LineCounter();
  const document = parseDocument(content, {
    lineCounter: lines,
    prettyErrors: false,
    merge: false,
    uniqueKeys: true,
  });
  for (const error of document.errors) {
    source.findings.refuse(`${source.file}:${lines.linePos(error.pos[0]).line}`, error.message);
  }
  if (document.errors.length > 0) return undefined;
  if (document.contents === null) return { kind: "map", entries: new Map(), line: 1 };
  return convert(document.contents, { ...source, document, lines }, 0);
}

interface Conversion extends YamlSource {
  readonly document: Document;
  readonly lines: LineCounter;
}

function convert(node: Node | null, at: Conversion, depth: number): Tree {
  const line = node?.range ? at.lines.linePos(node.range[0]).line : 1;
  const empty: ScalarTree = { kind: "scalar", text: "", value: null, line };
  if (node === null) return empty;
  if (depth > deepest) {
    at.findings.refuse(`${at.file}:${line}`, "is nested too deeply");
    return empty;
  }
  if (isAlias(node)) return convert(node.resolve(at.document) ?? null, at, depth + 1);
  if (isSeq<Node>(node))
    return { kind: "list", items: node.items.map((item) => convert(item, at, depth + 1)), line };
  if (isMap<Node, Node | null>(node))
    return { kind: "map", entries: new Map(entries(node.items, at, depth)), line };
  if (!isScalar(node)) return empty;
  return scalarTree(node.value, typeof node.source === "string" ? node.source : undefined, line, at);
}

function* entries(pairs: readonly { key: Node; value: Node | null }[], at: Conversion, depth: number) {
  for (const { key, value } of pairs) {
    const name = isScalar(key) ? String(key.value) : "";
    const line = key.range ? at.lines.linePos(key.range[0]).line : 1;
    yield [name, { line, value: convert(value, at, depth + 1) }] as const;
  }
}

function scalarTree(value: unknown, source: string | undefined, line: number, at: Conversion): ScalarTree {
  if (value === null || value === undefined) return { kind: "scalar", text: "", value: null, line };
  if (typeof value === "number" || typeof value === "boolean") {
    return { kind: "scalar", text: source ?? String(value), value, line };
  }
  const text = interpolate(String(value), at.env, (name) => {
    at.findings.refuse(
      `${at.file}:${line}`,
      `\${${name}} is not set in the environment`,
      "set it, or write $${ for a literal ${",
    );
  });
  return { kind: "scalar", text, value: text, line };
}

function interpolate(text: string, env: NodeJS.ProcessEnv, missing: (name: string) => void): string {
  return text.replace(/\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)\}/g, (_whole, name: string | undefined) => {
    if (name === undefined) return "${";
    const value = env[name];
    if (value === undefined) missing(name);
    return value ?? "";
  });
}
