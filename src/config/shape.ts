import type { JsonSchema } from "./json-schema.ts";
import { suggestion } from "./nearest.ts";
import type { Findings } from "./problems.ts";
import type { MapTree, Tree } from "./tree.ts";
import { BadValue, type ValueType } from "./values.ts";

/** Where a value stands, for messages and for the files secrets come from. */
export interface Position {
  readonly file: string;
  readonly path: string;
  readonly line: number;
  readonly findings: Findings;
  readonly readFile: (path: string) => string;
}

/** The form of a part of the YAML file: how it is read (problems go to the findings, the result is then undefined) and described. */
export interface Shape<T> {
  readonly schema: JsonSchema;
  read(tree: Tree, at: Position): T | undefined;
}

export function refuse(at: Position, message: string, fix?: string): undefined {
  at.findings.refuse(`${at.file}:${at.line}: ${at.path}`, message, fix);
  return undefined;
}

function below(at: Position, key: string | number, line: number): Position {
  const step = typeof key === "number" ? `[${key}]` : at.path === "" ? key : `.${key}`;
  return { ...at, path: at.path + step, line };
}

/** A leaf of the given type; `secret` keeps its value out of messages. */
export function leaf<T>(type: ValueType<T>, options: { secret?: boolean } = {}): Shape<T> {
  return {
    schema: type.schema,
    read(tree, at) {
      try {
        return type.read(plain(tree));
      } catch (error) {
        if (!(error instanceof BadValue)) throw error;
        const shown = options.secret || tree.kind !== "scalar" ? "the value" : JSON.stringify(tree.text);
        return refuse(at, `${shown} ${error.message}`, `must be ${type.accepts}`);
      }
    },
  };
}

function plain(tree: Tree): unknown {
  if (tree.kind === "scalar") return tree.text;
  if (tree.kind === "list") return tree.items.map(plain);
  return Object.fromEntries([...tree.entries].map(([key, { value }]) => [key, plain(value)]));
}

/** A string, number or boolean kept as it is. */
export const constant: Shape<string | number | boolean> = {
  schema: { type: ["string", "number", "boolean"] },
  read: (tree, at) =>
    tree.kind === "scalar" && tree.value !== null ? tree.value : refuse(at, "is not a single value"),
};

interface AnyField {
  readonly shape: Shape<unknown>;
  readonly secret: boolean;
  readonly doc: string;
  readonly required: boolean;
}

export interface RequiredField<T> extends AnyField {
  readonly shape: Shape<T>;
  readonly required: true;
}

export interface OptionalField<T> extends AnyField {
  readonly shape: Shape<T>;
  readonly required: false;
}

type Fields = Readonly<Record<string, AnyField>>;
export type ObjectOf<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends RequiredField<infer T>
    ? T
    : F[K] extends OptionalField<infer T>
      ? T | undefined
      : never;
};

export function required<T>(shape: Shape<T>, doc: string): RequiredField<T> {
  return { shape, required: true, secret: false, doc };
}

export function maybe<T>(shape: Shape<T>, doc: string): OptionalField<T> {
  return { shape, required: false, secret: false, doc };
}

/** A secret text; may also be given as `<key>_file`, the path of a file that holds it. */
export function secretField(type: ValueType<string>, doc: string): OptionalField<string> {
  return { shape: leaf(type, { secret: true }), required: false, secret: true, doc };
}

export function object<F extends Fields>(fields: F): Shape<ObjectOf<F>> {
  return {
    schema: objectSchema(fields),
    read(tree, at) {
      if (tree.kind !== "map") return refuse(at, "is not a map");
      refuseUnknownKeys(tree, fields, at);
      let complete = true;
      const result: Record<string, unknown> = {};
      for (const [key, field] of Object.entries(fields)) {
        const value = readField(tree, key, field, at);
        result[key] = value;
        if (value === undefined && field.required) {
          complete = false;
          if (absent(tree, key)) refuse(at, `lacks ${key}`, field.doc);
        }
      }
      return complete ? (result as ObjectOf<F>) : undefined;
    },
  };
}

function absent(tree: MapTree, key: string): boolean {
  const entry = tree.entries.get(key)?.value;
  return entry === undefined || isEmpty(entry);
}

/** `key:` with nothing behind it counts as not written. */
export function isEmpty(tree: Tree): boolean {
  return tree.kind === "scalar" && (tree.value === null || tree.text.trim() === "");
}

function refuseUnknownKeys(tree: MapTree, fields: Fields, at: Position): void {
  const known = Object.entries(fields).flatMap(([key, { secret }]) =>
    secret ? [key, `${key}_file`] : [key],
  );
  for (const [key, { line }] of tree.entries) {
    if (!known.includes(key)) refuse(below(at, key, line), "is not a known setting", suggestion(key, known));
  }
}

function readField(tree: MapTree, key: string, field: AnyField, at: Position): unknown {
  const direct = tree.entries.get(key);
  const file = field.secret ? tree.entries.get(`${key}_file`) : undefined;
  if (file !== undefined && !isEmpty(file.value)) {
    const here = below(at, `${key}_file`, file.line);
    if (direct !== undefined && !isEmpty(direct.value))
      return refuse(here, `is given beside ${key}`, "keep one of the two");
    return readSecretFile(file.value, field, here);
  }
  if (direct === undefined || isEmpty(direct.value)) return undefined;
  return field.shape.read(direct.value, below(at, key, direct.line));
}

function readSecretFile(tree: Tree, field: AnyField, at: Position): unknown {
  if (tree.kind !== "scalar") return refuse(at, "is not a path");
  try {
    const content = at.readFile(tree.text).trim();
    if (content === "") return refuse(at, `${JSON.stringify(tree.text)} is empty`);
    return field.shape.read({ kind: "scalar", text: content, value: content, line: at.line }, at);
  } catch (error) {
    return refuse(at, `cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function objectSchema(fields: Fields): JsonSchema {
  const properties: Record<string, JsonSchema> = {};
  for (const [key, field] of Object.entries(fields)) {
    properties[key] = { description: field.doc, ...field.shape.schema };
    if (field.secret) properties[`${key}_file`] = { description: `File that holds ${key}.`, type: "string" };
  }
  const demanded = Object.entries(fields).flatMap(([key, field]) => (field.required ? [key] : []));
  return {
    type: "object",
    properties,
    ...(demanded.length > 0 ? { required: demanded } : {}),
    additionalProperties: false,
  };
}

export function listOf<T>(element: Shape<T>): Shape<readonly T[]> {
  return {
    schema: { type: "array", items: element.schema },
    read(tree, at) {
      if (tree.kind !== "list") return refuse(at, "is not a list");
      const items = tree.items.map((item, index) => element.read(item, below(at, index, item.line)));
      return items.filter((item) => item !== undefined);
    },
  };
}

/** A map with keys of the operator's choice, or of `known`. */
export function mapOf<T>(element: Shape<T>, known?: readonly string[]): Shape<Readonly<Record<string, T>>> {
  return {
    schema: {
      type: "object",
      additionalProperties: element.schema,
      ...(known === undefined ? {} : { propertyNames: { enum: known } }),
    },
    read(tree, at) {
      if (tree.kind !== "map") return refuse(at, "is not a map");
      const result = new Map<string, T>();
      for (const [key, { line, value }] of tree.entries) {
        const here = below(at, key, line);
        if (known !== undefined && !known.includes(key))
          refuse(here, "is not a known name", suggestion(key, known));
        const read = element.read(value, here);
        if (read !== undefined) result.set(key, read);
      }
      return Object.fromEntries(result);
    },
  };
}

/** One of several shapes, told apart by the tree alone. */
export function either<A, B>(
  first: Shape<A>,
  second: Shape<B>,
  isFirst: (tree: Tree) => boolean,
): Shape<A | B> {
  return {
    schema: { anyOf: [first.schema, second.schema] },
    read: (tree, at) => (isFirst(tree) ? first.read(tree, at) : second.read(tree, at)),
  };
}

/** An object whose `kind` chooses among several shapes. */
export function byKind<S extends Readonly<Record<string, Shape<unknown>>>>(
  shapes: S,
): Shape<
  {
    [K in keyof S & string]: S[K] extends Shape<infer T> ? { readonly kind: K; readonly value: T } : never;
  }[keyof S & string]
> {
  type Result = {
    [K in keyof S & string]: S[K] extends Shape<infer T> ? { readonly kind: K; readonly value: T } : never;
  }[keyof S & string];
  const kinds = Object.keys(shapes);
  return {
    schema: {
      anyOf: Object.entries(shapes).map(([kind, { schema }]) => ({
        ...schema,
        properties: { kind: { const: kind }, ...schema.properties },
        required: ["kind", ...(schema.required ?? [])],
      })),
    },
    read(tree, at) {
      if (tree.kind !== "map") return refuse(at, "is not a map");
      const given = tree.entries.get("kind");
      const kind = given?.value.kind === "scalar" ? given.value.text : "";
      const shape = shapes[kind];
      if (shape === undefined) {
        return refuse(
          given === undefined ? at : below(at, "kind", given.line),
          `has no known kind`,
          `must be one of ${kinds.join(", ")}`,
        );
      }
      const rest = new Map([...tree.entries].filter(([key]) => key !== "kind"));
      const value = shape.read({ ...tree, entries: rest }, at);
      return value === undefined ? undefined : ({ kind, value } as Result);
    },
  };
}
