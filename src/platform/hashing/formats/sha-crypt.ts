import { createHash } from "node:crypto";
import { setImmediate as nextTurn } from "node:timers/promises";
import { equalBytes, type HashFormat, neverCurrent } from "./format.ts";

/** The scheme itself allows 999,999,999 rounds; a million is half as much again as the strongest default in use. */
const maxRounds = 1_000_000;
const defaultRounds = 5000;

/** Rounds computed before other events of the process get their turn; about two milliseconds. */
const roundsPerTurn = 1000;

/** Longer ones do not occur, and every round hashes the whole password. */
const maxPasswordBytes = 1024;

const shape =
  /^\$([56])\$(?:rounds=([1-9]\d{0,8})\$)?([^$\n:]{0,16})\$([./0-9A-Za-z]{43}|[./0-9A-Za-z]{86})$/;
const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/** SHA-crypt of glibc: `$5$` (SHA-256) and `$6$` (SHA-512), as found in shadow files. */
export const shaCryptFormat: HashFormat = {
  algorithms: ["sha256-crypt", "sha512-crypt"],
  parse(hash, algorithm) {
    const match = shape.exec(hash);
    const [, id, roundsText, saltText = "", tagText = ""] = match ?? [];
    if (id === undefined) return "invalid_hash";
    const digest = id === "5" ? "sha256" : "sha512";
    if (algorithm !== `${digest}-crypt` || tagText.length !== (id === "5" ? 43 : 86)) return "invalid_hash";
    const rounds = roundsText === undefined ? defaultRounds : Number(roundsText);
    // crypt(3) raises smaller counts to 1000 and writes that, so no such string exists.
    if (rounds < 1000) return "invalid_hash";
    if (rounds > maxRounds) return "hash_cost_too_high";
    const salt = Buffer.from(saltText);
    return {
      async verify(password) {
        if (password.length > maxPasswordBytes) return false;
        const computed = encode(await shaCrypt(password, salt, digest, rounds), digest);
        return equalBytes(Buffer.from(computed), Buffer.from(tagText));
      },
      satisfies: neverCurrent,
    };
  },
};

/** "Unix crypt using SHA-256 and SHA-512" (U. Drepper), steps 1–21. */
async function shaCrypt(
  password: Buffer,
  salt: Buffer,
  digest: "sha256" | "sha512",
  rounds: number,
): Promise<Buffer> {
  const sum = (...parts: Buffer[]): Buffer => createHash(digest).update(Buffer.concat(parts)).digest();

  const alternate = sum(password, salt, password);
  const first: Buffer[] = [password, salt, stretch(alternate, password.length)];
  for (let bits = password.length; bits > 0; bits >>= 1) first.push((bits & 1) === 1 ? alternate : password);
  let state = sum(...first);

  const passwordSum = sum(...Array.from({ length: password.length }, () => password));
  const p = stretch(passwordSum, password.length);
  const saltSum = sum(...Array.from({ length: 16 + (state[0] ?? 0) }, () => salt));
  const s = stretch(saltSum, salt.length);

  for (let round = 0; round < rounds; round++) {
    const hash = createHash(digest);
    const odd = (round & 1) === 1;
    hash.update(odd ? p : state);
    if (round % 3 !== 0) hash.update(s);
    if (round % 7 !== 0) hash.update(p);
    hash.update(odd ? state : p);
    state = hash.digest();
    if (round % roundsPerTurn === roundsPerTurn - 1) await nextTurn();
  }
  return state;
}

/** `block` repeated and cut to `length` bytes. */
function stretch(block: Buffer, length: number): Buffer {
  const out = Buffer.alloc(length);
  for (let at = 0; at < length; at += block.length) block.copy(out, at);
  return out;
}

/** The scheme's own base64: 24-bit groups of bytes picked a third of the digest apart, least significant six bits first. */
function encode(bytes: Buffer, digest: "sha256" | "sha512"): string {
  const third = digest === "sha256" ? 10 : 21;
  let out = "";
  for (let group = 0; group < third; group++) {
    const triple = [group, group + third, group + 2 * third];
    // The starting column rotates with every group: towards the right for SHA-256, towards the left for SHA-512.
    const turn = digest === "sha256" ? (3 - (group % 3)) % 3 : group % 3;
    const at = (column: number): number => bytes[triple[(column + turn) % 3] ?? 0] ?? 0;
    out += sextets((at(0) << 16) | (at(1) << 8) | at(2), 4);
  }
  return digest === "sha256"
    ? out + sextets(((bytes[31] ?? 0) << 8) | (bytes[30] ?? 0), 3)
    : out + sextets(bytes[63] ?? 0, 2);
}

function sextets(value: number, count: number): string {
  let out = "";
  for (let i = 0; i < count; i++) out += alphabet[(value >> (6 * i)) & 63] ?? "";
  return out;
}
