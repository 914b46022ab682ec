/** Any JSON value. Objects never have a prototype chain of interest: read them with `Object.hasOwn` or `Object.entries`. */
export type JsonValue =
  | null
  | boolean
  | number
  | string
  | JsonNumber
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

export type JsonObject = { readonly [key: string]: JsonValue };

/** `JSON.rawJSON`, which not every runtime and no library definition has yet. */
const rawJson: unknown = Reflect.get(JSON, "rawJSON");

/**
 * A number that a double cannot hold without loss, kept as it was written. `JSON.stringify` writes the literal where the runtime knows
 * `JSON.rawJSON` (all current ones), the nearest double elsewhere.
 */
export class JsonNumber {
  readonly literal: string;

  constructor(literal: string) {
    this.literal = literal;
  }

  valueOf(): number {
    return Number(this.literal);
  }

  toString(): string {
    return this.literal;
  }

  toJSON(): unknown {
    return typeof rawJson === "function" ? rawJson(this.literal) : Number(this.literal);
  }
}
