import type { ManagementErrorCode } from "../errors/index.ts";
import type { Descriptor, Fields, Generation } from "../types.ts";

export type Topic =
  | "Admin"
  | "APIKeys"
  | "Bootstrap"
  | "Documents"
  | "Entitlements"
  | "Groups"
  | "Maintenance"
  | "Passwordless"
  | "Passwords"
  | "Providers"
  | "RemoteApps"
  | "Roles"
  | "Senders"
  | "Sessions"
  | "Tokens"
  | "Users";

/** What a mutating call acts upon: `kind:value`, from arguments (dotted paths, joined by `/`) or from the result. */
export interface MutationTarget {
  readonly kind: string;
  readonly args?: readonly string[];
  readonly result?: string;
}

/** One row of the method table. */
export interface Method<A extends Fields = Fields, R extends Descriptor = Descriptor> {
  /** The last segment of `/v1/call/{Method}`. */
  readonly name: string;
  readonly topic: Topic;
  readonly generations: readonly Generation[];
  /** In declaration order; member names are TypeScript's, `wire` is the contract's. */
  readonly args: A;
  readonly result: R;
  /** False: no method-level failure exists; clients answer the zero value whatever happens. */
  readonly canFail: boolean;
  /** Codes beyond the transport's own that the method answers. */
  readonly errors: readonly ManagementErrorCode[];
  /** Present when the call changes something: it is then recorded in the audit trail. */
  readonly mutates?: MutationTarget;
  /** The result is a token, or holds one as `token`: what it is for is recorded as well. */
  readonly mints?: true;
  /** Bytes of body accepted, where it is not the usual 1 MiB. */
  readonly bodyLimit?: number;
  /** Accepted with the introspection token too, which opens nothing else. */
  readonly introspection?: true;
  readonly note?: string;
}

type Definition<A extends Fields, R extends Descriptor> = Omit<Method<A, R>, "canFail" | "errors"> & {
  readonly canFail?: false;
  readonly errors?: readonly ManagementErrorCode[];
};

/** Declares a method; `canFail` defaults to true, `errors` to none. */
export function method<A extends Fields, R extends Descriptor>(definition: Definition<A, R>): Method<A, R> {
  return { ...definition, canFail: definition.canFail ?? true, errors: definition.errors ?? [] };
}
