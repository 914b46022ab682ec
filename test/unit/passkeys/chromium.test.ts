import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CeremonyFailure, readAssertion, readRegistration } from "../../../src/core/passkeys/credentials.ts";
import { createWebAuthn } from "../../../src/core/passkeys/webauthn.ts";

interface Ceremony {
  readonly algorithm: number;
  readonly made: object;
  readonly got: { readonly response: { readonly signature: string } };
}

interface Vectors {
  readonly origin: string;
  readonly rpId: string;
  readonly challenge: string;
  readonly ceremonies: readonly Ceremony[];
}

/** What Chromium 156 answered for its virtual authenticator, recorded once. */
const vectors: Vectors = JSON.parse(readFileSync(join(import.meta.dirname, "chromium-vectors.json"), "utf8"));

test("the recordings are there", () => {
  expect(vectors.ceremonies.map(({ algorithm }) => algorithm)).toEqual(expect.arrayContaining([-7, -257]));
});

test.each(vectors.ceremonies)(
  "what a browser recorded with COSE algorithm $algorithm",
  async ({ made, got }) => {
    const webauthn = createWebAuthn({ rpId: vectors.rpId, origins: [vectors.origin] });
    const read = readRegistration(made);
    expect(read.clientData.challenge).toBe(vectors.challenge);
    const credential = await webauthn.verifyRegistration(read);
    expect(credential).toMatchObject({ attestationFormat: "none", backupState: false });
    const asserted = await webauthn.verifyAssertion(readAssertion(got), credential.publicKey);
    expect(asserted.signCount).toBeGreaterThan(credential.signCount);

    const signature = Buffer.from(got.response.signature, "base64url");
    signature[signature.length - 1] = (signature.at(-1) ?? 0) ^ 1;
    const forged = { ...got, response: { ...got.response, signature: signature.toString("base64url") } };
    await expect(webauthn.verifyAssertion(readAssertion(forged), credential.publicKey)).rejects.toThrow(
      CeremonyFailure,
    );
    const elsewhere = createWebAuthn({ rpId: vectors.rpId, origins: ["http://localhost:1"] });
    await expect(elsewhere.verifyRegistration(read)).rejects.toThrow(CeremonyFailure);
  },
);
