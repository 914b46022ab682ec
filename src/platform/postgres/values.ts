import pg from "pg";
import { JsonReader } from "../../contract/codec/reader.ts";
import type { SqlValue } from "./port.ts";

const int8 = 20;
const json = 114;
const jsonb = 3802;
const int8Array = 1016;
const date = 1082;

function parseIntegers(text: string): (number | null)[] {
  const inner = text.slice(1, -1);
  return inner === "" ? [] : inner.split(",").map((item) => (item === "NULL" ? null : Number(item)));
}

/** An integer of at least this many digits may be one that a double cannot hold: it then keeps its literal, as it does on the wire. */
const long = /[0-9]{16}/;

function parseJson(text: string): unknown {
  return long.test(text) ? new JsonReader(text).json() : JSON.parse(text);
}

type Parser = (text: string) => unknown;

const parsers: ReadonlyMap<number, Parser> = new Map<number, Parser>([
  [int8, Number],
  [int8Array, parseIntegers],
  [json, parseJson],
  [jsonb, parseJson],
  // A calendar day has no time zone; a Date would have one.
  [date, (text) => text],
]);

/** Column parsers of the port: the driver's, except where it would lose or invent something. */
export const columnTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: "text" | "binary"): Parser =>
    parsers.get(oid) ?? pg.types.getTypeParser(oid, format === "binary" ? "text" : (format ?? "text")),
};

/**
 * Values as the driver is to send them. Dates become UTC texts, so that the process's time zone never matters.
 *
 * @throws TypeError for `undefined`, which SQL has no word for.
 */
export function bindable(values: readonly SqlValue[], statement: string): unknown[] {
  return values.map((value, index) => {
    if (value === undefined)
      throw new TypeError(`Value ${index + 1} of ${statement} is undefined; bind null`);
    return toWire(value);
  });
}

function toWire(value: SqlValue): unknown {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(toWire);
  return value;
}
