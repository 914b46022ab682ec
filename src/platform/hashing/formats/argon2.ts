import type { Argon2Request, Argon2Type } from "../kernel.ts";
import type { Argon2Parameters } from "../port.ts";
import { decodePhcBase64 } from "./encoding.ts";
import { equalBytes, type HashFormat, neverCurrent } from "./format.ts";

/** What new hashes carry (RFC 9106 §3.1 recommends both). */
export const saltLength = 16;
export const tagLength = 32;

const limits = {
  /** 1 GiB: sixteen times the default; more in one hash would let an import push a process out of memory. */
  memory: 1_048_576,
  /** Twenty passes: above every published recommendation. With all the memory that is some six seconds, still bearable once. */
  iterations: 20,
  /** Lanes each start a thread. */
  parallelism: 16,
  salt: { min: 8, max: 64 },
  tag: { min: 16, max: 64 },
} as const;

const types: readonly Argon2Type[] = ["argon2id", "argon2i", "argon2d"];

const shape =
  /^\$(argon2(?:id|i|d))(?:\$v=(\d{1,3}))?\$m=(\d{1,10}),t=(\d{1,10}),p=(\d{1,10})\$([^$]+)\$([^$]+)$/;

/** Argon2id as written by this server, and Argon2i/d from imports, in PHC strings. */
export const argon2Format: HashFormat = {
  algorithms: types,
  parse(hash, algorithm) {
    const match = shape.exec(hash);
    const type = types.find((name) => name === match?.[1]);
    if (match === null || type === undefined || type !== algorithm) return "invalid_hash";
    const version = readVersion(type, match[2]);
    const salt = decodePhcBase64(match[6] ?? "");
    const tag = decodePhcBase64(match[7] ?? "");
    if (version === undefined || salt === undefined || tag === undefined) return "invalid_hash";
    const memory = Number(match[3]);
    const iterations = Number(match[4]);
    const parallelism = Number(match[5]);
    if (memory > limits.memory || iterations > limits.iterations || parallelism > limits.parallelism) {
      return "hash_cost_too_high";
    }
    // RFC 9106 §3.1: at least one pass, one lane and eight blocks a lane.
    if (iterations < 1 || parallelism < 1 || memory < 8 * parallelism) return "invalid_hash";
    if (salt.length < limits.salt.min || salt.length > limits.salt.max) return "invalid_hash";
    if (tag.length < limits.tag.min || tag.length > limits.tag.max) return "invalid_hash";

    const request = { type, version, memory, iterations, parallelism, salt, tagLength: tag.length } as const;
    return {
      verify: async (password, kernel) => equalBytes(await kernel.derive({ ...request, password }), tag),
      satisfies: type === "argon2id" ? (current) => isAtLeast(request, current) : neverCurrent,
    };
  },
};

/** Argon2id exists only in version 0x13 here; the others also in 0x10, which strings without a version mean. */
function readVersion(type: Argon2Type, text: string | undefined): 16 | 19 | undefined {
  if (text === "19") return 19;
  if (type === "argon2id") return undefined;
  return text === undefined || text === "16" ? 16 : undefined;
}

function isAtLeast(found: Omit<Argon2Request, "password">, current: Argon2Parameters): boolean {
  return (
    found.memory >= current.memory &&
    found.iterations >= current.iterations &&
    // More lanes divide the work of an attacker with many cores as they divide ours, so they are no strength.
    found.parallelism === current.parallelism &&
    found.salt.length >= saltLength &&
    found.tagLength >= tagLength
  );
}

/** PHC string of a finished Argon2id computation; standard base64 without padding. */
export function formatArgon2id(parameters: Argon2Parameters, salt: Buffer, tag: Buffer): string {
  const { memory, iterations, parallelism } = parameters;
  return `$argon2id$v=19$m=${memory},t=${iterations},p=${parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

function unpadded(bytes: Buffer): string {
  return bytes.toString("base64").replace(/=+$/, "");
}
