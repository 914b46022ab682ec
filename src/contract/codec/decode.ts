import { zeroTime } from "../time.ts";
import type { Descriptor, FieldDescriptor, Generation, ScalarKind } from "../types.ts";
import { JsonError, type JsonReader, setMember } from "./reader.ts";
import { isIpAddress, parseBase64, parseTime } from "./scalars.ts";

/**
 * Reads values of one type. `previous` is what an earlier member of the same name gave: `null` keeps it where null means nothing, and objects
 * merge into it.
 */
export interface Decoder {
  decode(reader: JsonReader, previous: unknown): unknown;
  /** The value of an absent member. */
  zero(): unknown;
}

function scalar(zero: () => unknown, read: (reader: JsonReader) => unknown): Decoder {
  return {
    zero,
    decode: (reader, previous) => {
      if (reader.takeNull()) return previous === undefined ? zero() : previous;
      return read(reader);
    },
  };
}

/** An integer literal within `±2^(bits-1)`; beyond the exact range of a double it saturates there unless `exact` is not asked for. */
function integer(reader: JsonReader, bits: 32 | 64, saturate: boolean): number {
  const literal = reader.number();
  if (!/^-?[0-9]+$/.test(literal)) throw new JsonError("expected an integer");
  const value = Number(literal);
  if (Number.isSafeInteger(value)) {
    if (bits === 32 && value !== (value | 0)) throw new JsonError("an integer out of range");
    return value === 0 ? 0 : value;
  }
  if (bits === 32 || BigInt.asIntN(64, BigInt(literal)) !== BigInt(literal)) {
    throw new JsonError("an integer out of range");
  }
  return saturate ? Math.sign(value) * Number.MAX_SAFE_INTEGER : value;
}

function readBytes(reader: JsonReader): Uint8Array {
  if (!reader.atArray()) return parseBase64(reader.string());
  const values: number[] = [];
  reader.array(() => {
    const value = reader.takeNull() ? 0 : integer(reader, 32, false);
    if (value < 0 || value > 255) throw new JsonError("a byte out of range");
    values.push(value);
  });
  return Uint8Array.from(values);
}

function readIp(reader: JsonReader): string | null {
  const text = reader.string();
  if (text === "") return null;
  if (!isIpAddress(text)) throw new JsonError("not an IP address");
  return text;
}

const scalars: Readonly<Record<ScalarKind, Decoder>> = {
  string: scalar(
    () => "",
    (reader) => reader.string(),
  ),
  bool: scalar(
    () => false,
    (reader) => reader.boolean(),
  ),
  int64: scalar(
    () => 0,
    (reader) => integer(reader, 64, true),
  ),
  int32: scalar(
    () => 0,
    (reader) => integer(reader, 32, true),
  ),
  duration_ns: scalar(
    () => 0,
    (reader) => integer(reader, 64, false),
  ),
  time: scalar(zeroTime, (reader) => parseTime(reader.string())),
  ip: scalar(() => null, readIp),
  bytes_base64: { zero: () => null, decode: (reader) => (reader.takeNull() ? null : readBytes(reader)) },
  json: { zero: () => null, decode: (reader) => reader.json() },
};

/** Simple case folding, as far as it reaches ASCII names: the long s and the Kelvin sign are the only others that fold into it. */
function fold(key: string): string {
  return key.toLowerCase().replaceAll("ſ", "s");
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

interface Member {
  readonly name: string;
  readonly decoder: Decoder;
}

/** Makes decoders from descriptors; each DTO is compiled once. Reading accepts the members of both generations. */
export class DecoderCompiler {
  readonly #dtos = new Map<Descriptor, Decoder>();
  readonly #generation: Generation;

  /** `generation` chooses the shape where one type has two. */
  constructor(generation: Generation) {
    this.#generation = generation;
  }

  compile(type: Descriptor): Decoder {
    switch (type.kind) {
      case "nothing":
        return { zero: () => undefined, decode: (reader) => void reader.json() };
      case "list":
        return listDecoder(this.compile(type.item));
      case "map":
        return mapDecoder(this.compile(type.item));
      case "nullable":
        return nullableDecoder(this.compile(type.inner));
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
        return this.compile(type.shapes[this.#generation]);
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

  /** A decoder of an object with these members: exact names first, then names that differ in case only; others are skipped. */
  fields(fields: Readonly<Record<string, FieldDescriptor>>): Decoder {
    const members: readonly Member[] = Object.entries(fields).map(([name, member]) => ({
      name,
      decoder: this.compile(member.type),
    }));
    const exact = new Map<string, Member>();
    const folded = new Map<string, Member>();
    for (const [index, member] of Object.values(fields).entries()) {
      const compiled = members[index];
      if (compiled === undefined) continue;
      exact.set(member.wire, compiled);
      if (!folded.has(fold(member.wire))) folded.set(fold(member.wire), compiled);
    }
    const complete = (object: Record<string, unknown>): Record<string, unknown> => {
      for (const { name, decoder } of members) {
        if (object[name] === undefined) object[name] = decoder.zero();
      }
      return object;
    };
    return {
      zero: () => complete({}),
      decode: (reader, previous) => {
        const object: Record<string, unknown> = isRecord(previous) ? { ...previous } : {};
        if (reader.takeNull()) return complete(object);
        reader.object((key) => {
          const member = exact.get(key) ?? folded.get(fold(key));
          if (member === undefined) reader.json();
          else object[member.name] = member.decoder.decode(reader, object[member.name]);
        });
        return complete(object);
      },
    };
  }
}

function listDecoder(item: Decoder): Decoder {
  return {
    zero: () => [],
    decode: (reader) => {
      const items: unknown[] = [];
      if (!reader.takeNull()) reader.array(() => items.push(item.decode(reader, undefined)));
      return items;
    },
  };
}

function mapDecoder(item: Decoder): Decoder {
  return {
    zero: () => ({}),
    decode: (reader, previous) => {
      if (reader.takeNull()) return {};
      const object: Record<string, unknown> = isRecord(previous) ? { ...previous } : {};
      reader.object((key) => setMember(object, key, item.decode(reader, undefined)));
      return object;
    },
  };
}

function nullableDecoder(inner: Decoder): Decoder {
  return {
    zero: () => null,
    decode: (reader, previous) => (reader.takeNull() ? null : inner.decode(reader, previous ?? undefined)),
  };
}
