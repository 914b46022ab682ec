import { isAbsolute } from "node:path";
import { parseGoDuration } from "./duration.ts";
import type { JsonSchema } from "./json-schema.ts";

/** A value that does not have the accepted shape. The message says why, without repeating the value. */
export class BadValue extends Error {
  override readonly name = "BadValue";
}

/**
 * How one kind of setting is written: in the environment as text, in the YAML file as a scalar, list or map.
 * `read` takes either and throws {@link BadValue}.
 */
export interface ValueType<T> {
  /** Name in the reference, for example `duration`. */
  readonly label: string;
  /** The accepted shape, completing "must be …". */
  readonly accepts: string;
  /** JSON Schema of the YAML form. */
  readonly schema: JsonSchema;
  /** A value that cannot be parsed is ignored with a warning when it comes from the environment (the contract's booleans). */
  readonly lenient?: true;
  read(input: unknown): T;
}

function scalar(input: unknown): string {
  if (typeof input === "string") return input;
  if (typeof input === "number" || typeof input === "boolean" || typeof input === "bigint")
    return String(input);
  throw new BadValue("is not a single value");
}

/** A type whose every form is one scalar. */
export function scalarType<T>(
  label: string,
  accepts: string,
  schema: JsonSchema,
  parse: (text: string) => T,
): ValueType<T> {
  return { label, accepts, schema, read: (input) => parse(scalar(input)) };
}

export const text = scalarType("string", "text", { type: "string" }, (value) => value);

/** Text with further demands; `check` returns the normalised text or throws {@link BadValue}. */
export function textLike(
  label: string,
  accepts: string,
  check: (value: string) => string,
  schema: JsonSchema = { type: "string" },
): ValueType<string> {
  return scalarType(label, accepts, schema, check);
}

export function pattern(label: string, accepts: string, expression: RegExp): ValueType<string> {
  return textLike(
    label,
    accepts,
    (value) => {
      if (!expression.test(value)) throw new BadValue("does not have this form");
      return value;
    },
    { type: "string", pattern: expression.source },
  );
}

const booleans: Readonly<Record<string, boolean>> = {
  ...{ 1: true, t: true, T: true, TRUE: true, true: true, True: true },
  ...{ 0: false, f: false, F: false, FALSE: false, false: false, False: false },
};

export const boolean: ValueType<boolean> = {
  ...scalarType(
    "boolean",
    "`true` or `false` (also `1 t T TRUE True 0 f F FALSE False`)",
    { type: "boolean" },
    (value) => {
      const parsed = booleans[value];
      if (parsed === undefined) throw new BadValue("is neither true nor false");
      return parsed;
    },
  ),
  lenient: true,
};

/** Switches of ours also understand `on` and `off`. */
export const onOff: ValueType<boolean> = {
  ...boolean,
  label: "switch",
  accepts: "`on` or `off` (also `true` and `false`)",
  schema: { anyOf: [{ type: "boolean" }, { enum: ["on", "off"] }] },
  read: (input) => (input === "on" ? true : input === "off" ? false : boolean.read(input)),
};

export function integer(bounds: { min?: number; max?: number } = {}): ValueType<number> {
  const { min = -2_147_483_648, max = 2_147_483_647 } = bounds;
  const range =
    bounds.min === undefined && bounds.max === undefined
      ? "a decimal integer"
      : bounds.max === undefined
        ? `a decimal integer of at least ${min}`
        : `a decimal integer from ${min} to ${max}`;
  return scalarType("integer", range, { type: "integer", minimum: min, maximum: max }, (value) => {
    if (!/^[+-]?\d{1,10}$/.test(value)) throw new BadValue("is not a decimal integer");
    const parsed = Number(value);
    if (parsed < min || parsed > max) throw new BadValue("is out of range");
    return parsed;
  });
}

/** Go's duration syntax; the value is milliseconds. */
export const duration = scalarType(
  "duration",
  "a duration such as `300ms`, `15m`, `720h` or `1h30m` (units ns, us, ms, s, m, h; a bare number other than 0 is refused)",
  {
    type: ["string", "integer"],
    pattern: "^[+-]?(0|((\\d+(\\.\\d*)?|\\.\\d+)(ns|us|µs|μs|ms|s|m|h))+)$",
    minimum: 0,
    maximum: 0,
  },
  (value) => {
    const milliseconds = parseGoDuration(value);
    if (milliseconds === undefined) throw new BadValue("is not a duration");
    return milliseconds;
  },
);

export function oneOf<const T extends string>(...choices: readonly T[]): ValueType<T> {
  const accepts = `one of ${choices.map((choice) => `\`${choice}\``).join(", ")}`;
  return scalarType("one of", accepts, { enum: choices }, (value) => {
    const lower = value.toLowerCase();
    const found = choices.find((choice) => choice.toLowerCase() === lower);
    if (found === undefined) throw new BadValue("is none of these");
    return found;
  });
}

/** Comma-separated in the environment, a list in the YAML file; elements trimmed, empty ones dropped. */
export function list<T>(
  element: ValueType<T>,
  options: { nonEmpty?: boolean } = {},
): ValueType<readonly T[]> {
  return {
    label: `list of ${element.label}`,
    accepts: `a comma-separated list; each element ${element === (text as unknown) ? "text" : element.accepts}`,
    schema: { type: "array", items: element.schema, ...(options.nonEmpty ? { minItems: 1 } : {}) },
    read(input) {
      const parts = Array.isArray(input) ? input.map(scalar) : scalar(input).split(",");
      const items = parts.map((part) => part.trim()).filter((part) => part !== "");
      if (options.nonEmpty && items.length === 0) throw new BadValue("has no element");
      return items.map((item) => readElement(element, item));
    },
  };
}

function readElement<T>(element: ValueType<T>, item: string): T {
  try {
    return element.read(item);
  } catch (error) {
    if (error instanceof BadValue)
      throw new BadValue(`has the element ${JSON.stringify(item)}, which ${error.message}`);
    throw error;
  }
}

export const path = textLike("path", "a file system path", (value) => {
  if (value.includes("\0")) throw new BadValue("contains a NUL character");
  return value;
});

export const absolutePath = textLike("path", "an absolute file system path", (value) => {
  if (!isAbsolute(value)) throw new BadValue("is relative");
  return value;
});

/** A JSON object of strings (in the YAML file a map). */
export const textMap: ValueType<Readonly<Record<string, string>>> = {
  label: "JSON object",
  accepts: "a JSON object whose members are strings",
  schema: { type: "object", additionalProperties: { type: "string" } },
  read(input) {
    const value: unknown = typeof input === "string" ? parseJson(input) : input;
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new BadValue("is not a JSON object");
    const entries = Object.entries(value).map(([key, member]: [string, unknown]) => {
      if (typeof member !== "string")
        throw new BadValue(`has the member ${JSON.stringify(key)}, which is not a string`);
      return [key, member] as const;
    });
    return Object.fromEntries(entries);
  },
};

function parseJson(input: string): unknown {
  try {
    return JSON.parse(input);
  } catch {
    throw new BadValue("is not valid JSON");
  }
}

/** An RFC 3339 point in time or a date (midnight UTC). */
export const timestamp = scalarType(
  "time",
  "a date `2026-01-31` or an RFC 3339 time `2026-01-31T12:00:00Z`",
  { type: "string" },
  (value) => {
    if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(value))
      throw new BadValue("is not a time");
    const parsed = new Date(value);
    if (Number.isNaN(parsed.getTime())) throw new BadValue("is not a time");
    return parsed;
  },
);
