/**
 * The vocabulary of the management API as data. A descriptor says what travels on the wire; the TypeScript types are derived from it, and the
 * codec is compiled from it, so that neither can differ from the other.
 *
 * Every descriptor carries three types: `Value`, what a decoder yields (complete); `Args`, what a caller may pass as an argument (members of
 * objects may be left out and then count as zero); `Result`, what a handler returns (complete, except members that are left out when empty or
 * exist in one generation only).
 */

import type { JsonValue } from "./json.ts";

/** The two generations of the contract this server speaks. */
export type Generation = "0.73" | "0.97";

export const everyGeneration: readonly Generation[] = ["0.73", "0.97"];
/** Of methods that no generation of the contract knows: they are this server's own, and served whatever generation answers. */
export const ours: readonly Generation[] = [];

declare const types: unique symbol;

export interface Typed<Value, Args, Result> {
  readonly [types]?: { readonly value: Value; readonly args: Args; readonly result: Result };
}

export type ScalarKind =
  | "string"
  | "bool"
  | "int64"
  | "int32"
  | "time"
  | "duration_ns"
  | "bytes_base64"
  | "ip"
  | "json";

/** What a codec is compiled from; the untyped side of {@link Type}. */
export type Descriptor =
  | { readonly kind: ScalarKind }
  | { readonly kind: "nothing" }
  | { readonly kind: "list"; readonly item: Descriptor }
  | { readonly kind: "map"; readonly item: Descriptor }
  | { readonly kind: "nullable"; readonly inner: Descriptor }
  | DtoDescriptor
  | { readonly kind: "several"; readonly members: Readonly<Record<string, Descriptor>> }
  | GenerationDescriptor;

export interface GenerationDescriptor {
  readonly kind: "by-generation";
  readonly shapes: Readonly<Record<Generation, Descriptor>>;
}

export interface DtoDescriptor {
  readonly kind: "dto";
  readonly name: string;
  readonly generations: readonly Generation[];
  readonly fields: Readonly<Record<string, FieldDescriptor>>;
}

export interface FieldDescriptor {
  /** The member's name on the wire, exactly as it is written. */
  readonly wire: string;
  readonly type: Descriptor;
  /** Left out of a response when null, `""`, `false`, `0` or empty. */
  readonly omitEmpty?: true;
  /** The only generation that has this member; absent = every generation of its object. */
  readonly only?: Generation;
}

/** A typed descriptor. */
export type Type<Value, Args = Value, Result = Value> = Descriptor & Typed<Value, Args, Result>;

/** A member of a DTO or an argument of a method; `Optional` when a handler may leave it out. */
export interface Field<T extends Descriptor = Descriptor, Optional extends boolean = boolean>
  extends FieldDescriptor {
  readonly type: T;
  /** Type only: never present. */
  readonly optionalInResult?: Optional;
}

export type Fields = Readonly<Record<string, Field>>;

/** The decoded type of a descriptor: complete, every member present. */
export type Infer<T> = T extends Typed<infer Value, infer _A, infer _R> ? Value : never;
/** What a caller may pass for a descriptor. */
export type InferArgs<T> = T extends Typed<infer _V, infer Args, infer _R> ? Args : never;
/** What a handler must return for a descriptor. */
export type InferResult<T> = T extends Typed<infer _V, infer _A, infer Result> ? Result : never;

export type FieldsValue<F extends Fields> = { readonly [K in keyof F]: Infer<F[K]["type"]> };
export type FieldsArgs<F extends Fields> = { readonly [K in keyof F]?: InferArgs<F[K]["type"]> | undefined };

type OptionalNames<F extends Fields> = {
  [K in keyof F]: F[K] extends Field<Descriptor, true>
    ? F[K] extends Field<Descriptor, false>
      ? never
      : K
    : never;
}[keyof F];
export type FieldsResult<F extends Fields> = {
  readonly [K in Exclude<keyof F, OptionalNames<F>>]: InferResult<F[K]["type"]>;
} & { readonly [K in OptionalNames<F>]?: InferResult<F[K]["type"]> | undefined };

/** JSON string; absent or null = `""`. */
export const string: Type<string> = { kind: "string" };
/** JSON true or false; absent or null = false. */
export const bool: Type<boolean> = { kind: "bool" };
/** Signed 64-bit integer, held as a number: values beyond 2^53 - 1 saturate there when decoded. */
export const int64: Type<number> = { kind: "int64" };
export const int32: Type<number> = { kind: "int32" };
/** RFC 3339; absent or null = the zero time (see `time.ts`). */
export const time: Type<Date> = { kind: "time" };
/** Nanoseconds, held as a number: exact up to 104 days, to within a microsecond beyond. */
export const durationNs: Type<number> = { kind: "duration_ns" };
/** Standard base64 in a string; null = no value, `""` = no bytes. */
export const bytes: Type<Uint8Array | null> = { kind: "bytes_base64" };
/** Textual IP address; null = none, written `""`. */
export const ip: Type<string | null> = { kind: "ip" };
/** Any JSON value; integers too large for a double keep their literal as `JsonNumber`. */
export const json: Type<JsonValue> = { kind: "json" };
/** The result of a method without one: `null` on the wire. */
export const nothing: Type<void> = { kind: "nothing" };

/** JSON array; null on input = empty; written `[]` when empty. */
export function list<V, A, R>(item: Type<V, A, R>): Type<readonly V[], readonly A[], readonly R[]> {
  return { kind: "list", item };
}

/** JSON object with free keys, written sorted; null on input = empty. */
export function map<V, A, R>(
  item: Type<V, A, R>,
): Type<Readonly<Record<string, V>>, Readonly<Record<string, A>>, Readonly<Record<string, R>>> {
  return { kind: "map", item };
}

/** The value or null. A nullable list without elements is written as null in results. */
export function nullable<V, A, R>(inner: Type<V, A, R>): Type<V | null, A | null, R | null> {
  return { kind: "nullable", inner };
}

export function field<V, A, R>(wire: string, type: Type<V, A, R>): Field<Type<V, A, R>, false> {
  return { wire, type };
}

/** Leaves the member out of a response when it is empty. */
export function omitEmpty<T extends Descriptor>(member: Field<T>): Field<T, true> {
  return { ...member, omitEmpty: true, optionalInResult: true };
}

/** A member only one generation has: read in both, written in that one. */
export function only<T extends Descriptor>(generation: Generation, member: Field<T>): Field<T, true> {
  return { ...member, only: generation, optionalInResult: true };
}

/** An object with fixed members; `fields` in the order they are written. */
export function dto<F extends Fields>(
  name: string,
  generations: readonly Generation[],
  fields: F,
): Type<FieldsValue<F>, FieldsArgs<F>, FieldsResult<F>> {
  return { kind: "dto", name, generations, fields };
}

/** Several results, written `{"r0":…,"r1":…}` in this order; named here because positions tell a reader nothing. */
export function several<M extends Readonly<Record<string, Descriptor>>>(
  members: M,
): Type<
  { readonly [K in keyof M]: Infer<M[K]> },
  { readonly [K in keyof M]: InferArgs<M[K]> },
  { readonly [K in keyof M]: InferResult<M[K]> }
> {
  return { kind: "several", members };
}

/** The shapes of a result that differs between the generations. */
export interface ByGeneration<Earlier, Later> {
  readonly "0.73": Earlier;
  readonly "0.97": Later;
}

/** A result whose shape differs: a handler returns the shape of the generation it is called for, a client is typed by its own. */
export function byGeneration<V1, A1, R1, V2, A2, R2>(
  earlier: Type<V1, A1, R1>,
  later: Type<V2, A2, R2>,
): GenerationDescriptor & Typed<ByGeneration<V1, V2>, ByGeneration<A1, A2>, R1 | R2> {
  return { kind: "by-generation", shapes: { "0.73": earlier, "0.97": later } };
}
