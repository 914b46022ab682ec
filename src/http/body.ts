import type { TSchema } from "typebox";
import { AuthError } from "../contract/errors/index.ts";
import { schemaCheck } from "../platform/schema-check.ts";

/** Turns body bytes into a value of the route's schema, or throws `invalid_request`. */
export type BodyDecoder = (bytes: Buffer, framing?: BodyFraming) => unknown;

export interface BodyFraming {
  /** A body was announced, if only one of no bytes (RFC 9112 §6.1). */
  readonly chunked: boolean;
}

export interface BodyDecoderOptions {
  readonly mode: "required" | "optional" | "lenient" | "open";
  /** Names in another case are unknown members. */
  readonly exactNames?: boolean;
}

interface ObjectSchema {
  readonly properties: Readonly<Record<string, TSchema>>;
}

function isObjectSchema(schema: object): schema is ObjectSchema & TSchema {
  return "properties" in schema && typeof schema.properties === "object" && schema.properties !== null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Case folding as the contract does it: simple folding, so the Kelvin sign and the long s match their ASCII letters. */
function fold(name: string): string {
  return name.toLowerCase().replaceAll("\u017f", "s").replaceAll("\u212a", "k");
}

function admitsNull(schema: object): boolean {
  if ("anyOf" in schema && Array.isArray(schema.anyOf))
    return schema.anyOf.some((part) => isRecord(part) && part["type"] === "null");
  return "type" in schema && schema.type === "null";
}

const surrogateEscape = /\\u[dD][89a-fA-F]/;
/** Any escape as one piece, so that an escaped backslash never lends itself to what follows; pairs of surrogates before single ones. */
const escapes =
  /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(u[dD][89a-fA-F][\da-fA-F]{2})|[\s\S])/g;

/** Half a surrogate pair is no character: it becomes U+FFFD like any invalid byte, since neither database nor UTF-8 can hold it. */
function wellFormed(json: string): string {
  if (!surrogateEscape.test(json)) return json;
  return json.replace(escapes, (found, lone: string | undefined) => (lone === undefined ? found : "\\ufffd"));
}

/**
 * Compiles the decoder of one route body (spec'd leniency of the contract): UTF-8 with replacement of invalid bytes and surrogates, one
 * JSON object or `null`, member names exact first and then case-insensitive, duplicates last wins, `null` = absent, no coercion, unknown
 * members refused unless the mode is `open`, trailing data refused.
 */
export function compileBody(schema: TSchema, options: BodyDecoderOptions): BodyDecoder {
  const check = schemaCheck(schema);
  const properties = isObjectSchema(schema) ? schema.properties : undefined;
  const folded = new Map(Object.keys(properties ?? {}).map((name) => [fold(name), name]));

  const normalize = (input: Record<string, unknown>): Record<string, unknown> => {
    if (properties === undefined) return input;
    const output: Record<string, unknown> = {};
    for (const [member, value] of Object.entries(input)) {
      const other = options.exactNames === true ? undefined : folded.get(fold(member));
      const name = Object.hasOwn(properties, member) ? member : other;
      if (name === undefined) {
        if (options.mode !== "open") throw new AuthError("invalid_request");
        output[member] = value;
        continue;
      }
      const property = properties[name];
      if (value === null && property !== undefined && !admitsNull(property)) delete output[name];
      else output[name] = value;
    }
    return output;
  };

  const decode: BodyDecoder = (bytes, { chunked } = { chunked: false }) => {
    if (bytes.length === 0) {
      if (options.mode === "optional" && !chunked) return {};
      throw new AuthError("invalid_request");
    }
    let parsed: unknown;
    try {
      parsed = JSON.parse(wellFormed(bytes.toString("utf8")));
    } catch (cause) {
      throw new AuthError("invalid_request", { cause });
    }
    const input = parsed ?? {};
    if (!isRecord(input)) throw new AuthError("invalid_request");
    const value = normalize(input);
    if (!check.matches(value)) throw new AuthError("invalid_request");
    return value;
  };

  if (options.mode !== "lenient") return decode;
  return (bytes) => {
    try {
      return decode(bytes);
    } catch (error) {
      if (error instanceof AuthError) return {};
      throw error;
    }
  };
}
