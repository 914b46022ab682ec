import { type HashFormat, neverCurrent } from "./format.ts";

/** `hash_algo` of accounts whose password was deliberately left behind: nothing matches until it has been reset. */
export const resetRequired = "legacy-reset-required";

export const resetRequiredFormat: HashFormat = {
  algorithms: [resetRequired],
  parse: () => ({ verify: async () => false, satisfies: neverCurrent, cheap: true }),
};
