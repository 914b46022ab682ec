import { JsonNumber } from "../json.ts";
import { zeroTime } from "../time.ts";
import type { Descriptor, FieldDescriptor, Generation, ScalarKind } from "../types.ts";
import { formatBase64, formatTime } from "./scalars.ts";

/** Writes a value of one type; `undefined` counts as the zero value. Throws TypeError or RangeError for a value of another type. */
export type Encoder = (value: unknown) => string;

export interface EncoderOptions {
  /** Members that only the other generation has are left out; null = members of every generation are written. */
  readonly generation: Generation | null;
  /** `result`: complete, and a nullable list without elements is null. `arguments`: undefined members are left out, lists are as given. */
  readonly side: "result" | "arguments";
}

const unsafe = /[<>&\u2028\u2029]/g;

function escapeUnsafe(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}

/** A JSON string that is also safe inside HTML and scripts; lone surrogates become U+FFFD. */
export function encodeString(text: string): string {
  return JSON.stringify(text.isWellFormed() ? text : text.toWellFormed()).replace(unsafe, escapeUnsafe);
}

function wrong(expected: string): never {
  throw new TypeError(`expected ${expected}`);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function encodeInteger(value: unknown): string {
  if (value === undefined) return "0";
  if (typeof value !== "number" || !Number.isInteger(value)) return wrong("an integer");
  if (Number.isSafeInteger(value)) return String(value === 0 ? 0 : value);
  // 2^63 itself is what the largest 64-bit integer rounds to.
  const integer = BigInt(value);
  return String(integer >= 2n ** 63n ? 2n ** 63n - 1n : integer < -(2n ** 63n) ? -(2n ** 63n) : integer);
}

/** By code points, as the bytes of UTF-8 sort; UTF-16 units differ above the basic plane. */
function byCodePoint(a: string, b: string): number {
  for (let at = 0; at < a.length && at < b.length; ) {
    const left = a.codePointAt(at) ?? 0;
    const right = b.codePointAt(at) ?? 0;
    if (left !== right) return left - right;
    at += left > 0xffff ? 2 : 1;
  }
  return a.length - b.length;
}

function encodeAtom(value: unknown): string {
  if (value === null) return "null";
  if (typeof value === "string") return encodeString(value);
  if (typeof value === "boolean") return value ? "true" : "false";
  if (value instanceof JsonNumber) return value.literal;
  if (typeof value === "number" && Number.isFinite(value)) return Object.is(value, -0) ? "-0" : String(value);
  return wrong("a JSON value");
}

/** Work left to do: text to write as it is, or a value to write. */
type Pending = { readonly text: string } | { readonly value: unknown };

/** Any JSON value, members sorted. Nesting costs heap, never stack. Throws TypeError for what JSON cannot say. */
export function encodeJson(root: unknown): string {
  let out = "";
  const pending: Pending[] = [{ value: root }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if ("text" in next) {
      out += next.text;
      continue;
    }
    const { value } = next;
    if (Array.isArray(value)) {
      out += "[";
      pending.push({ text: "]" });
      for (let index = value.length - 1; index >= 0; index--) {
        pending.push({ value: value[index] });
        if (index > 0) pending.push({ text: "," });
      }
    } else if (isRecord(value) && !(value instanceof JsonNumber)) {
      const prototype: unknown = Object.getPrototypeOf(value);
      if (prototype !== Object.prototype && prototype !== null) wrong("a plain object");
      const keys = Object.keys(value).filter((key) => value[key] !== undefined);
      keys.sort(byCodePoint);
      out += "{";
      pending.push({ text: "}" });
      for (let index = keys.length - 1; index >= 0; index--) {
        const key = keys[index] ?? "";
        pending.push({ value: value[key] }, { text: `${index > 0 ? "," : ""}${encodeString(key)}:` });
      }
    } else out += encodeAtom(value);
  }
  return out;
}

const scalars: Readonly<Record<ScalarKind, Encoder>> = {
  string: (value = "") => (typeof value === "string" ? encodeString(value) : wrong("a string")),
  bool: (value = false) => (typeof value === "boolean" ? String(value) : wrong("a boolean")),
  int64: encodeInteger,
  int32: encodeInteger,
  duration_ns: encodeInteger,
  time: (value = zeroTime()) => (value instanceof Date ? `"${formatTime(value)}"` : wrong("a Date")),
  ip: (value) => (value === undefined || value === null ? '""' : scalars.string(value)),
  bytes_base64: (value) => {
    if (value === undefined || value === null) return "null";
    return value instanceof Uint8Array ? `"${formatBase64(value)}"` : wrong("bytes");
  },
  json: (value = null) => encodeJson(value),
};

const emptyTexts: ReadonlySet<string> = new Set(["null", '""', "false", "0", "[]", "{}"]);

interface Member {
  readonly name: string;
  readonly prefix: string;
  readonly encode: Encoder;
  readonly omitEmpty: boolean;
}

/** Makes encoders from descriptors; each DTO is compiled once. */
export class EncoderCompiler {
  readonly #dtos = new Map<Descriptor, Encoder>();
  readonly #options: EncoderOptions;

  constructor(options: EncoderOptions) {
    this.#options = options;
  }

  compile(type: Descriptor): Encoder {
    switch (type.kind) {
      case "nothing":
        return () => "null";
      case "list":
        return listEncoder(this.compile(type.item));
      case "map":
        return mapEncoder(this.compile(type.item));
      case "nullable":
        return this.#nullable(type.inner);
      case "several":
        return this.fields(
          Object.fromEntries(
            Object.entries(type.members).map(([name, member], index) => [
              name,
              { wire: `r${index}`, type: member },
            ]),
          ),
        );
      case "by-generation":
        return this.compile(type.shapes[this.#options.generation ?? "0.97"]);
      case "dto": {
        const known = this.#dtos.get(type);
        if (known !== undefined) return known;
        const made = this.fields(type.fields);
        this.#dtos.set(type, made);
        return made;
      }
      default:
        return scalars[type.kind];
    }
  }

  /** An encoder of an object with these members in this order. */
  fields(fields: Readonly<Record<string, FieldDescriptor>>): Encoder {
    const { generation, side } = this.#options;
    const members: readonly Member[] = Object.entries(fields)
      .filter(([, { only }]) => only === undefined || generation === null || only === generation)
      .map(([name, member]) => ({
        name,
        prefix: `${encodeString(member.wire)}:`,
        encode: this.compile(member.type),
        omitEmpty: side === "result" && member.omitEmpty === true,
      }));
    const leaveOut = side === "arguments";
    return (value = {}) => {
      if (!isRecord(value)) return wrong("an object");
      let out = "{";
      for (const { name, prefix, encode, omitEmpty } of members) {
        const member = value[name];
        if (leaveOut && member === undefined) continue;
        const text = encode(member);
        if (omitEmpty && emptyTexts.has(text)) continue;
        out += out.length > 1 ? `,${prefix}${text}` : prefix + text;
      }
      return `${out}}`;
    };
  }

  #nullable(inner: Descriptor): Encoder {
    const encode = this.compile(inner);
    const emptyIsNull = inner.kind === "list" && this.#options.side === "result";
    return (value) => {
      if (value === undefined || value === null) return "null";
      const text = encode(value);
      return emptyIsNull && text === "[]" ? "null" : text;
    };
  }
}

function listEncoder(encode: Encoder): Encoder {
  return (value = []) => {
    if (!Array.isArray(value)) return wrong("an array");
    return `[${value.map((item) => encode(item)).join(",")}]`;
  };
}

function mapEncoder(encode: Encoder): Encoder {
  return (value = {}) => {
    if (!isRecord(value)) return wrong("an object");
    const members = Object.keys(value)
      .sort(byCodePoint)
      .map((key) => `${encodeString(key)}:${encode(value[key])}`);
    return `{${members.join(",")}}`;
  };
}
