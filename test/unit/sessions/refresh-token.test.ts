import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { authenticationMethods } from "../../../src/core/sessions/issue.ts";
import {
  hashRefreshToken,
  looksLikeRefreshToken,
  openSuccessor,
  sealSuccessor,
} from "../../../src/core/sessions/refresh-token.ts";
import { systemRandom } from "../../../src/platform/random.ts";

describe("refresh tokens", () => {
  it("are stored as the SHA-256 of their text", () => {
    const token = systemRandom.token(32);
    expect(looksLikeRefreshToken(token)).toBe(true);
    expect(hashRefreshToken(token)).toEqual(createHash("sha256").update(token).digest());
  });

  it("seal their successor for the holder of the predecessor alone", () => {
    const [predecessor, successor, stranger] = [
      systemRandom.token(),
      systemRandom.token(),
      systemRandom.token(),
    ];
    const sealed = sealSuccessor(predecessor, successor);
    expect(sealed).toHaveLength(43);
    expect(sealed.includes(successor.slice(0, 8))).toBe(false);
    expect(openSuccessor(predecessor, sealed)).toBe(successor);
    expect(openSuccessor(stranger, sealed)).not.toBe(successor);
  });
});

describe("authentication methods", () => {
  it("are distinct, lower-case and never empty", () => {
    expect(authenticationMethods([" PWD", "otp", "pwd", ""])).toEqual(["pwd", "otp"]);
    expect(authenticationMethods([])).toEqual(["pwd"]);
  });
});
