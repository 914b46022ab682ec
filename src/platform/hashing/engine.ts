import type { Random } from "../random.ts";
import { formatArgon2id, saltLength, tagLength } from "./formats/argon2.ts";
import { parseStored } from "./formats/index.ts";
import type { Argon2Kernel } from "./kernel.ts";
import type { Argon2Parameters, StoredHash, VerifyResult } from "./port.ts";

/** The computation itself, without queue or process: passwords as UTF-8 bytes, taken as they are. */
export interface HashEngine {
  hash(password: Buffer): Promise<string>;
  verify(stored: StoredHash, password: Buffer): Promise<VerifyResult>;
  verifyDummy(password: Buffer): Promise<void>;
}

const noMatch: VerifyResult = { match: false, rehash: false };

/** A salt nobody drew: the dummy's answer is thrown away, only its cost counts. */
const dummySalt = Buffer.alloc(saltLength, 0x5a);

/** Hashes with `parameters` and verifies every known format through `kernel`. */
export function createHashEngine(
  kernel: Argon2Kernel,
  parameters: Argon2Parameters,
  random: Random,
): HashEngine {
  const derive = (password: Buffer, salt: Buffer): Promise<Buffer> =>
    kernel.derive({ type: "argon2id", version: 19, ...parameters, salt, tagLength, password });

  return {
    async hash(password) {
      const salt = random.bytes(saltLength);
      return formatArgon2id(parameters, salt, await derive(password, salt));
    },
    async verify(stored, password) {
      const parsed = parseStored(stored);
      if (typeof parsed !== "string" && (await parsed.verify(password, kernel))) {
        return { match: true, rehash: !parsed.satisfies(parameters) };
      }
      // A wrong password must not show by its speed that the account has an unusable or a cheap hash.
      if (typeof parsed === "string" || parsed.cheap === true) await derive(password, dummySalt);
      return noMatch;
    },
    async verifyDummy(password) {
      await derive(password, dummySalt);
    },
  };
}
