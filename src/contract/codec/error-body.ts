import { dto, everyGeneration, field, string } from "../types.ts";
import { DecoderCompiler } from "./decode.ts";
import { encodeString } from "./encode.ts";
import { JsonError, JsonReader } from "./reader.ts";

const errorBody = dto("ErrorBody", everyGeneration, {
  error: field("error", dto("ErrorCode", everyGeneration, { code: field("code", string) })),
});

/** The code in an error body; `""` when the body is not such an envelope. */
export function decodeErrorCode(body: string): string {
  const reader = new JsonReader(body);
  try {
    const decoded = new DecoderCompiler("0.73").compile(errorBody).decode(reader, undefined);
    reader.end();
    return (decoded as { readonly error: { readonly code: string } }).error.code;
  } catch (error) {
    if (error instanceof JsonError) return "";
    throw error;
  }
}

/** The body of an error, without the final line feed. */
export function encodeErrorCode(code: string): string {
  return `{"error":{"code":${encodeString(code)}}}`;
}
