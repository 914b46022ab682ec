import {
  createVerifier,
  isAuthError,
  type Verifier,
  type VerifierOptions,
} from "../../../src/verify/index.ts";
import type { TestIssuer } from "../../../src/verify/testing.ts";

export const userId = "019f0000-0000-7000-8000-0000000000aa";

export function verifierFor(issuer: TestIssuer, options: Partial<VerifierOptions> = {}): Verifier {
  return createVerifier({
    issuers: [{ issuer: issuer.issuer, audiences: [issuer.audience] }],
    ...options,
  });
}

/** The kind of principal, or the code of the refusal. */
export async function outcome(work: Promise<unknown>): Promise<string> {
  try {
    const found = await work;
    return typeof found === "object" && found !== null ? String(Reflect.get(found, "kind") ?? "claims") : "?";
  } catch (error) {
    return isAuthError(error) ? error.code : String(error);
  }
}

export function encode(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}
