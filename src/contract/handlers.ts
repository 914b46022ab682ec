import type { Method, MethodKey, Methods } from "./methods/index.ts";
import type {
  Descriptor,
  Fields,
  FieldsValue,
  Generation,
  GenerationDescriptor,
  Infer,
  InferArgs,
  InferResult,
} from "./types.ts";

type ArgumentsOf<M> = M extends Method<infer A extends Fields, Descriptor> ? A : never;
type ResultOf<M> = M extends Method<Fields, infer R> ? R : never;

/** Arguments as a handler gets them: every one present. */
export type MethodArguments<K extends MethodKey> = FieldsValue<ArgumentsOf<Methods[K]>>;

/** What the handler of a method returns. */
export type MethodResult<K extends MethodKey> = InferResult<ResultOf<Methods[K]>>;

/** One function a method. `Context` is the plane's own. */
export type ManagementHandlers<Context> = {
  readonly [K in MethodKey]: (args: MethodArguments<K>, context: Context) => Promise<MethodResult<K>>;
};

type OptionalArguments<F extends Fields> = {
  [K in keyof F]: null extends Infer<F[K]["type"]> ? K : string extends keyof Infer<F[K]["type"]> ? K : never;
}[keyof F];

type CallArguments<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalArguments<F>>]: InferArgs<F[K]["type"]>;
} & { readonly [K in OptionalArguments<F>]?: InferArgs<F[K]["type"]> | undefined };

/** Arguments as a caller passes them: nullable values and free maps may be left out. */
export type ClientArguments<K extends MethodKey> = CallArguments<ArgumentsOf<Methods[K]>>;

/** Compared as a whole: a plain descriptor is a union one of whose members is that of results which differ. */
type Shape<R, G extends Generation> = [R] extends [GenerationDescriptor]
  ? Infer<R> extends Readonly<Record<Generation, unknown>>
    ? Infer<R>[G]
    : never
  : Infer<R>;

/** What a caller gets. */
export type ClientResult<K extends MethodKey, G extends Generation = "0.73"> = Shape<ResultOf<Methods[K]>, G>;

export interface CallOptions {
  /** Cancels the call, on the server too. */
  readonly signal?: AbortSignal;
  /** Milliseconds until the call is given up; the client's default when absent. */
  readonly timeoutMs?: number;
}

/** Every method of the management API as a function, for a server of generation `G`. */
export type Client<G extends Generation = "0.73"> = {
  readonly [K in MethodKey]: keyof ArgumentsOf<Methods[K]> extends never
    ? (options?: CallOptions) => Promise<ClientResult<K, G>>
    : (args: ClientArguments<K>, options?: CallOptions) => Promise<ClientResult<K, G>>;
};
