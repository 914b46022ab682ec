import type { Client, ClientArguments, ClientResult, MethodKey } from "../../../src/client/index.ts";

/** What a case works with: two accounts of its own. */
export interface World {
  readonly client: Client;
  readonly userId: string;
  readonly email: string;
  readonly username: string;
  readonly phone: string;
  readonly otherId: string;
  readonly otherEmail: string;
  readonly otherUsername: string;
  /** Unique in the run. */
  readonly tag: string;
}

/** One method: a call that succeeds, and a call for each documented error that can be reached. */
export interface MethodCase<K extends MethodKey> {
  /** Absent where a success needs more than this API. */
  readonly args?: (world: World) => ClientArguments<K>;
  /** Runs before the call. */
  readonly before?: (world: World) => Promise<unknown>;
  readonly check?: (result: ClientResult<K>, world: World) => void | Promise<void>;
  readonly errors?: Readonly<
    Record<string, (world: World) => ClientArguments<K> | Promise<ClientArguments<K>>>
  >;
  /** Documented errors that this deployment cannot answer, and why. */
  readonly unreachable?: Readonly<Record<string, string>>;
}

export type Cases = { readonly [K in MethodKey]?: MethodCase<K> };

export const nobody = "019f0000-0000-7000-8000-0000000000aa";
export const noUuid = "no-uuid";

/** Every way a username is refused, by operators' rules. */
export function badUsernames<T>(
  args: (username: string, world: World) => T,
): Record<string, (world: World) => T> {
  const names: Readonly<Record<string, string>> = {
    username_too_short: "ab",
    username_too_long: "a".repeat(65),
    username_must_start_with_letter: "1abcd",
    username_invalid_characters: "ab cd",
    username_cannot_contain_at: "ab@cd",
  };
  return Object.fromEntries(
    Object.entries(names).map(([code, name]) => [code, (world: World) => args(name, world)]),
  );
}

export const afterLetter = {
  username_cannot_start_with_plus:
    "a name that starts with + does not start with a letter, which is said first",
} as const;
