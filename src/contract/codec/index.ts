import type { Method } from "../methods/index.ts";
import type { FieldDescriptor, Generation } from "../types.ts";
import { DecoderCompiler } from "./decode.ts";
import { EncoderCompiler } from "./encode.ts";
import { JsonReader, type ReaderOptions } from "./reader.ts";

export { encodeJson, encodeString } from "./encode.ts";
export { decodeErrorCode, encodeErrorCode } from "./error-body.ts";
export { JsonError, JsonReader } from "./reader.ts";
export { formatBase64, formatTime, isIpAddress, parseBase64, parseTime } from "./scalars.ts";

/** The server's half of a method's codec. */
export interface ServerMethodCodec {
  /** Arguments of a request body. Throws {@link JsonError}. */
  decodeArguments(body: string): unknown;
  /** The whole body of a success, without the final line feed. Throws when the handler returned another type. */
  encodeResult(result: unknown): string;
}

/** The client's half. */
export interface ClientMethodCodec {
  encodeArguments(args: unknown): string;
  /** The result in the body of a success. Throws {@link JsonError}. */
  decodeResult(body: string): unknown;
  /** The zero value of the result. */
  zeroResult(): unknown;
}

function argumentsDecoder(
  compiler: DecoderCompiler,
  fields: Readonly<Record<string, FieldDescriptor>>,
): (body: string) => unknown {
  const decoder = compiler.fields(fields);
  // Bodies of methods without arguments are never parsed, so anything passes.
  const ignored = Object.keys(fields).length === 0;
  const options: ReaderOptions = { refuseNul: true };
  return (body) => {
    if (ignored || body === "") return decoder.zero();
    const reader = new JsonReader(body, options);
    const args = decoder.decode(reader, undefined);
    reader.end();
    return args;
  };
}

/** Compiles the server's codecs: results are written in the shapes of `generation`, arguments of both generations are read. */
export function createServerCodec(generation: Generation): (method: Method) => ServerMethodCodec {
  const decoders = new DecoderCompiler(generation);
  const encoders = new EncoderCompiler({ generation, side: "result" });
  return (method) => {
    const encode = encoders.compile(method.result);
    return {
      decodeArguments: argumentsDecoder(decoders, method.args),
      encodeResult: (result) => `{"result":${encode(result)}}`,
    };
  };
}

/** Compiles the client's codecs for a server of `generation`. */
export function createClientCodec(generation: Generation): (method: Method) => ClientMethodCodec {
  const decoders = new DecoderCompiler(generation);
  const encoders = new EncoderCompiler({ generation: null, side: "arguments" });
  return (method) => {
    const encode = encoders.fields(method.args);
    const result = decoders.compile(method.result);
    const envelope = decoders.fields({ result: { wire: "result", type: method.result } });
    return {
      encodeArguments: (args) => encode(args),
      decodeResult: (body) => {
        const reader = new JsonReader(body);
        const decoded = envelope.decode(reader, undefined);
        reader.end();
        return (decoded as { readonly result: unknown }).result;
      },
      zeroResult: () => result.zero(),
    };
  };
}
