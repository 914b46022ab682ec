import { JsonNumber, type JsonValue } from "../json.ts";

/** A document that is not JSON, or not of the type asked for. */
export class JsonError extends Error {
  override readonly name = "JsonError";
}

export interface ReaderOptions {
  /** Refuse U+0000 in strings, which PostgreSQL cannot store. */
  readonly refuseNul?: boolean;
}

/** Levels of nesting accepted. */
const maximumDepth = 10_000;

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;

const escapes: Readonly<Record<string, string>> = {
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

type OpenContainer =
  | { readonly items: JsonValue[] }
  | { readonly object: Record<string, JsonValue>; key: string };

/** Sets an own member whatever its name; plain assignment of `__proto__` would change the prototype instead. */
export function setMember<T>(object: Record<string, T>, key: string, value: T): void {
  if (key === "__proto__") {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else object[key] = value;
}

/**
 * A strict RFC 8259 pull reader over a text. `JSON.parse` cannot serve here: it hides duplicate members, tells `1.0` from `1` no longer and
 * rounds large integers, all of which the contract decides upon. Nesting costs heap, never stack. Every method throws {@link JsonError}.
 */
export class JsonReader {
  readonly #text: string;
  readonly #refuseNul: boolean;
  readonly #number = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
  #at = 0;
  #depth = 0;

  constructor(text: string, options: ReaderOptions = {}) {
    this.#text = text;
    this.#refuseNul = options.refuseNul ?? false;
  }

  fail(expected: string): never {
    const found = this.#at < this.#text.length ? `at offset ${this.#at}` : "at the end";
    throw new JsonError(`expected ${expected} ${found}`);
  }

  /** Code of the next character that is not white space; NaN at the end. */
  #peek(): number {
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return c;
      this.#at++;
    }
  }

  #take(c: number): boolean {
    if (this.#peek() !== c) return false;
    this.#at++;
    return true;
  }

  #literal(word: string): boolean {
    this.#peek();
    if (!this.#text.startsWith(word, this.#at)) return false;
    this.#at += word.length;
    return true;
  }

  /** Consumes `null` when it is next. */
  takeNull(): boolean {
    return this.#peek() === 0x6e && (this.#literal("null") || this.fail("null"));
  }

  atString(): boolean {
    return this.#peek() === quote;
  }

  atArray(): boolean {
    return this.#peek() === openBracket;
  }

  boolean(): boolean {
    if (this.#literal("true")) return true;
    if (this.#literal("false")) return false;
    return this.fail("a boolean");
  }

  /** The literal of a number as written. */
  number(): string {
    this.#peek();
    this.#number.lastIndex = this.#at;
    const literal = this.#number.exec(this.#text)?.[0] ?? this.fail("a number");
    this.#at += literal.length;
    return literal;
  }

  string(): string {
    if (this.#peek() !== quote) this.fail("a string");
    const start = ++this.#at;
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (c === quote) return this.#text.slice(start, this.#at++);
      if (c === backslash) return this.#escaped(start);
      if (!(c >= 0x20)) this.fail("a character of a string");
      this.#at++;
    }
  }

  #escaped(start: number): string {
    let value = "";
    let from = start;
    let surrogates = false;
    for (;;) {
      const c = this.#text.charCodeAt(this.#at);
      if (c === quote) {
        value += this.#text.slice(from, this.#at++);
        return surrogates ? value.toWellFormed() : value;
      }
      if (c !== backslash) {
        if (!(c >= 0x20)) this.fail("a character of a string");
        this.#at++;
        continue;
      }
      value += this.#text.slice(from, this.#at);
      const letter = this.#text.charAt(this.#at + 1);
      if (letter === "u") {
        const digits = this.#text.slice(this.#at + 2, this.#at + 6);
        if (!/^[0-9a-fA-F]{4}$/.test(digits)) this.fail("four hexadecimal digits");
        const unit = Number.parseInt(digits, 16);
        if (unit === 0 && this.#refuseNul) this.fail("no NUL in a string");
        surrogates ||= unit >= 0xd800 && unit <= 0xdfff;
        value += String.fromCharCode(unit);
        this.#at += 6;
      } else {
        value += escapes[letter] ?? this.fail("an escape sequence");
        this.#at += 2;
      }
      from = this.#at;
    }
  }

  #enter(): void {
    this.#at++;
    if (++this.#depth > maximumDepth) throw new JsonError(`more than ${maximumDepth} levels of nesting`);
  }

  /** A member's name and its colon. */
  #key(): string {
    const key = this.string();
    if (!this.#take(colon)) this.fail("a colon");
    return key;
  }

  /** Consumes the comma before a further item, or the closing bracket: then false. */
  #more(close: number): boolean {
    if (this.#take(comma)) return true;
    if (!this.#take(close)) this.fail("a comma or the end of the list");
    this.#depth--;
    return false;
  }

  /** Reads an object; `member` must consume exactly the value of each name it is given. */
  object(member: (key: string) => void): void {
    if (this.#peek() !== openBrace) this.fail("an object");
    this.#enter();
    if (this.#take(closeBrace)) {
      this.#depth--;
      return;
    }
    do member(this.#key());
    while (this.#more(closeBrace));
  }

  /** Reads an array; `item` must consume exactly one value. */
  array(item: () => void): void {
    if (this.#peek() !== openBracket) this.fail("an array");
    this.#enter();
    if (this.#take(closeBracket)) {
      this.#depth--;
      return;
    }
    do item();
    while (this.#more(closeBracket));
  }

  /** Any value. Of duplicate members the last one counts. */
  json(): JsonValue {
    const open: OpenContainer[] = [];
    for (;;) {
      const first = this.#peek();
      let value: JsonValue;
      if (first === openBrace) {
        this.#enter();
        if (!this.#take(closeBrace)) {
          open.push({ object: {}, key: this.#key() });
          continue;
        }
        this.#depth--;
        value = {};
      } else if (first === openBracket) {
        this.#enter();
        if (!this.#take(closeBracket)) {
          open.push({ items: [] });
          continue;
        }
        this.#depth--;
        value = [];
      } else value = this.#scalar(first);
      const outcome = this.#attach(open, value);
      if (outcome !== undefined) return outcome.root;
    }
  }

  /** Adds a finished value to the innermost open container and closes those that end here; the root when all are closed. */
  #attach(open: OpenContainer[], finished: JsonValue): { readonly root: JsonValue } | undefined {
    let value = finished;
    for (;;) {
      const container = open.at(-1);
      if (container === undefined) return { root: value };
      if ("items" in container) {
        container.items.push(value);
        if (this.#more(closeBracket)) return undefined;
        value = container.items;
      } else {
        setMember(container.object, container.key, value);
        if (this.#more(closeBrace)) {
          container.key = this.#key();
          return undefined;
        }
        value = container.object;
      }
      open.pop();
    }
  }

  #scalar(first: number): JsonValue {
    if (first === quote) return this.string();
    if (this.takeNull()) return null;
    if (first === 0x74 || first === 0x66) return this.boolean();
    const literal = this.number();
    const value = Number(literal);
    // Fractions are rounded to a double as everywhere; an integer outside the exact range would silently become another one.
    const exact = Number.isFinite(value) && (Number.isSafeInteger(value) || !/^-?[0-9]+$/.test(literal));
    return exact ? value : new JsonNumber(literal);
  }

  /** Asserts that nothing but white space follows. */
  end(): void {
    if (!Number.isNaN(this.#peek())) this.fail("nothing more");
  }
}
