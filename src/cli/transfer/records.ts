import { createReadStream } from "node:fs";
import { JsonReader } from "../../contract/codec/index.ts";
import { BadRecord, type Column, columnOf, type TransferRecord } from "./columns.ts";
import { CsvSplitter } from "./csv.ts";

export type TransferFormat = "ndjson" | "csv";

/** One record of a file, or why it is none. */
export type ReadRecord =
  | { readonly record: TransferRecord; readonly problem?: undefined }
  | { readonly problem: string; readonly record?: undefined };

/** Told by the name of the file; NDJSON when that says nothing. */
export function formatOf(path: string): TransferFormat {
  return path.toLowerCase().endsWith(".csv") ? "csv" : "ndjson";
}

const byteOrderMark = "\ufeff";

function jsonRecord(line: string): ReadRecord {
  try {
    const reader = new JsonReader(line, { refuseNul: true });
    const value = reader.json();
    reader.end();
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new BadRecord("not an object");
    return { record: new Map(Object.entries(value).map(([name, member]) => [columnOf(name), member])) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function csvRecord(header: readonly Column[], fields: readonly string[]): ReadRecord {
  if (fields.length !== header.length)
    return { problem: `${fields.length} fields where the header has ${header.length}` };
  return { record: new Map(header.map((column, place) => [column, fields[place]])) };
}

async function* jsonRecords(pieces: AsyncIterable<string>): AsyncGenerator<ReadRecord> {
  let rest = "";
  for await (const piece of pieces) {
    const lines = (rest + piece).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) if (line.trim() !== "") yield jsonRecord(line);
  }
  if (rest.trim() !== "") yield jsonRecord(rest);
}

async function* csvRecords(pieces: AsyncIterable<string>): AsyncGenerator<ReadRecord> {
  const splitter = new CsvSplitter();
  let header: readonly Column[] | undefined;
  const read = (fields: string[]): ReadRecord | undefined => {
    if (header !== undefined) return csvRecord(header, fields);
    header = fields.map(columnOf);
    return undefined;
  };
  for await (const piece of pieces) {
    for (const fields of splitter.push(piece)) {
      const record = read(fields);
      if (record !== undefined) yield record;
    }
  }
  const fields = splitter.end();
  const record = fields === undefined ? undefined : read(fields);
  if (record !== undefined) yield record;
}

async function* withoutMark(
  pieces: AsyncIterable<string>,
  read: (bytes: number) => void,
): AsyncGenerator<string> {
  let first = true;
  for await (const piece of pieces) {
    read(Buffer.byteLength(piece));
    yield first && piece.startsWith(byteOrderMark) ? piece.slice(1) : piece;
    first = false;
  }
}

/**
 * The records of a file, one at a time, whatever its size. `read` is told how many bytes were taken in. Throws BadRecord for a CSV header with
 * an unknown column, SyntaxError for CSV that ends inside quotes.
 */
export function readRecords(
  path: string,
  format: TransferFormat,
  read: (bytes: number) => void = () => undefined,
): AsyncGenerator<ReadRecord> {
  const stream: AsyncIterable<string> = createReadStream(path, { encoding: "utf8", highWaterMark: 1 << 18 });
  const pieces = withoutMark(stream, read);
  return format === "csv" ? csvRecords(pieces) : jsonRecords(pieces);
}
