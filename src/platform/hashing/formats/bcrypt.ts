import { verify } from "@node-rs/bcrypt";
import { type HashFormat, neverCurrent } from "./format.ts";

/** bcrypt reads 72 bytes of its key; the rest never counted, in any implementation worth importing from. */
const significantBytes = 72;

/**
 * 2^16 rounds take about three seconds; nobody signs in against more. The algorithm's own bound, 2^31, would occupy a process for a day.
 */
const maxCost = 16;

/** `$2$` and `$2x$` are tried with today's algorithm, which they equal for ASCII passwords. */
const shape = /^\$2([abxy]?)\$(\d\d)\$([./A-Za-z0-9]{53})$/;

/** bcrypt; an empty `hash_algo` means the same, provided that the prefix is one in use. */
export const bcryptFormat: HashFormat = {
  algorithms: ["bcrypt", ""],
  parse(hash, algorithm) {
    const match = shape.exec(hash);
    if (match === null) return "invalid_hash";
    if (algorithm === "" && !/[aby]/.test(match[1] ?? "")) return "invalid_hash";
    const cost = Number(match[2]);
    if (cost < 4 || cost > 31) return "invalid_hash";
    if (cost > maxCost) return "hash_cost_too_high";
    const canonical = `$2b$${match[2]}$${match[3]}`;
    return {
      // The library compares in constant time; truncation is spelled out here so that no library's own rule decides it.
      verify: (password) => verify(password.subarray(0, significantBytes), canonical),
      satisfies: neverCurrent,
    };
  },
};
