import { describe, expect, it } from "vitest";
import { isOneCborItem } from "../../../src/core/passkeys/cbor.ts";
import {
  CeremonyFailure,
  parseLabel,
  readAssertion,
  readRegistration,
} from "../../../src/core/passkeys/credentials.ts";
import { createWebAuthn } from "../../../src/core/passkeys/webauthn.ts";
import { encodeCbor, flag, type Lies, SoftwareAuthenticator } from "../../support/authenticator.ts";

const rpId = "auth.example.com";
const origin = "https://auth.example.com";
const webauthn = createWebAuthn({ rpId, origins: [origin, "https://app.auth.example.com:8443"] });
const challenge = "A".repeat(43);
const creation = { challenge, rp: { id: rpId }, user: { id: Buffer.alloc(64, 7).toString("base64url") } };

async function failure(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
    return "";
  } catch (error) {
    if (error instanceof CeremonyFailure) return error.message;
    throw error;
  }
}

const register = (authenticator: SoftwareAuthenticator, lies: Lies = {}) =>
  webauthn.verifyRegistration(readRegistration(authenticator.create(creation, lies)));

const assert = async (authenticator: SoftwareAuthenticator, publicKey: Buffer, lies: Lies = {}) =>
  webauthn.verifyAssertion(readAssertion(authenticator.get({ challenge, rpId }, lies)), publicKey);

describe("ceremonies", () => {
  it.each([-7, -35, -36, -257, -258, -259, -37, -38, -39, -8])(
    "work with COSE algorithm %i",
    async (algorithm) => {
      const authenticator = new SoftwareAuthenticator({ algorithm, origin, counting: true });
      const made = await register(authenticator);
      expect(made).toMatchObject({
        signCount: 1,
        backupEligible: false,
        backupState: false,
        attestationFormat: "none",
        attestationType: "none",
        flags: flag.present | flag.verified | flag.attested,
      });
      expect(made.credentialId).toEqual(authenticator.id);
      expect(made.aaguid).toEqual(Buffer.alloc(16, 0xaa));
      expect(await assert(authenticator, made.publicKey)).toMatchObject({ signCount: 2, backupState: false });
      const other = new SoftwareAuthenticator({ algorithm, origin });
      const stranger = (await register(other)).publicKey;
      expect(await failure(() => assert(authenticator, stranger))).toBe("the signature is wrong");
    },
  );

  it("read the backup flags", async () => {
    const authenticator = new SoftwareAuthenticator({ origin, backedUp: true });
    const made = await register(authenticator);
    expect(made).toMatchObject({ backupEligible: true, backupState: true });
    const flags = flag.present | flag.verified | flag.backupEligible;
    expect(await assert(authenticator, made.publicKey, { flags })).toMatchObject({
      backupEligible: true,
      backupState: false,
    });
  });

  it("accept every configured origin, whatever its case, and its default port", async () => {
    const accepted = [
      "https://app.auth.example.com:8443",
      "HTTPS://Auth.Example.com",
      "https://auth.example.com:443",
    ];
    for (const given of accepted) {
      const authenticator = new SoftwareAuthenticator({ origin });
      expect((await register(authenticator, { origin: given })).signCount).toBe(0);
    }
  });

  const lies: readonly [string, Lies][] = [
    ["another type", { type: "webauthn.other" }],
    ["another origin", { origin: "https://evil.example" }],
    ["an origin that only begins alike", { origin: "https://auth.example.com.evil.example" }],
    ["an origin with a user", { origin: "https://auth.example.com@evil.example" }],
    ["another port", { origin: "https://auth.example.com:8443" }],
    ["plain HTTP", { origin: "http://auth.example.com" }],
    ["a cross-origin frame", { crossOrigin: true }],
    ["another relying party", { rpId: "evil.example" }],
    ["nobody present", { flags: flag.verified }],
    ["a user who was not verified", { flags: flag.present }],
  ];
  it.each(lies)("refuse %s", async (_name, lie) => {
    const authenticator = new SoftwareAuthenticator({ origin });
    expect(await failure(() => register(authenticator, lie))).not.toBe("");
    const { publicKey } = await register(authenticator);
    expect(await failure(() => assert(authenticator, publicKey, lie))).not.toBe("");
    expect(await failure(() => assert(authenticator, publicKey))).toBe("");
  });

  it("refuse a state of backup without eligibility, a statement with format none, and bytes after the end", async () => {
    const authenticator = new SoftwareAuthenticator({ origin });
    const flags = flag.present | flag.verified | flag.backupState;
    expect(await failure(() => register(authenticator, { flags }))).not.toBe("");
    const attestationStatement = new Map([["alg", -7]]);
    expect(await failure(() => register(authenticator, { attestationStatement }))).not.toBe("");
    const trailing = Buffer.of(0);
    expect(await failure(() => register(authenticator, { trailing }))).toBe(
      "the attestation object is not one CBOR item",
    );
  });

  it("refuse keys of an algorithm that was not offered", async () => {
    const authenticator = new SoftwareAuthenticator({ algorithm: -65535, origin });
    expect(await failure(() => register(authenticator))).toMatch(/alg/);
  });

  it("refuse an id that is not the attested one", async () => {
    const authenticator = new SoftwareAuthenticator({ origin });
    const answer = authenticator.create(creation);
    const other = { ...answer, id: "AAAA", rawId: "AAAA" };
    expect(await failure(() => webauthn.verifyRegistration(readRegistration(other)))).toBe(
      "id and attested credential id differ",
    );
  });
});

describe("the browser's JSON", () => {
  const answer = new SoftwareAuthenticator({ origin }).create(creation);
  const reason = (json: unknown) => failure(async () => readRegistration(json));

  it("may be padded everywhere but in id", async () => {
    const { response } = answer;
    const padded = { ...answer, rawId: `${answer.rawId}=` };
    expect(await reason(padded)).toBe("");
    expect(
      await reason({ ...answer, response: { ...response, clientDataJSON: `${response.clientDataJSON}=` } }),
    ).toBe("");
    expect(await reason({ ...answer, id: `${answer.id}=` })).toBe("id is no base64url text");
  });

  it("is refused when anything is missing or of another kind", async () => {
    for (const json of [null, 1, "text", [], {}, { ...answer, id: "" }, { ...answer, rawId: "AAAA" }])
      expect(await reason(json)).not.toBe("");
    expect(await reason({ ...answer, type: "password" })).toBe("not a public key");
    expect(await reason({ ...answer, response: {} })).toBe("clientDataJSON is no base64url text");
    const notJson = { ...answer.response, clientDataJSON: Buffer.from("{").toString("base64url") };
    expect(await reason({ ...answer, response: notJson })).toBe("the client data is no JSON");
    const clientDataJSON = Buffer.from('{"type":"webauthn.create"}').toString("base64url");
    expect(await reason({ ...answer, response: { ...answer.response, clientDataJSON } })).toBe(
      "the client data lacks members",
    );
  });

  it("keeps known transports under their present names", () => {
    expect(readRegistration(answer).transports).toEqual(["internal", "hybrid"]);
    const transports = ["usb", "usb", 7, "UPPER", "x".repeat(40), "cable", "hybrid"];
    const read = readRegistration({ ...answer, response: { ...answer.response, transports } });
    expect(read.transports).toEqual(["usb", "hybrid"]);
    expect(read.authenticatorAttachment).toBe("platform");
    expect(readRegistration({ ...answer, authenticatorAttachment: "else" }).authenticatorAttachment).toBe("");
  });
});

describe("one CBOR item", () => {
  it("is told from none, half of one, and more than one", () => {
    const item = encodeCbor(
      new Map<string, number | Buffer>([
        ["a", 1],
        ["b", Buffer.alloc(300)],
      ]),
    );
    expect(isOneCborItem(item)).toBe(true);
    expect(isOneCborItem(Buffer.alloc(0))).toBe(false);
    expect(isOneCborItem(item.subarray(0, -1))).toBe(false);
    expect(isOneCborItem(Buffer.concat([item, Buffer.of(0)]))).toBe(false);
    expect(isOneCborItem(Buffer.from("83010203", "hex"))).toBe(true);
    expect(isOneCborItem(Buffer.from("c11a514b67b0", "hex"))).toBe(true);
    expect(isOneCborItem(Buffer.from("fb3ff199999999999a", "hex"))).toBe(true);
    expect(isOneCborItem(Buffer.from("1b000000e8d4a51000", "hex"))).toBe(true);
    expect(isOneCborItem(Buffer.from("9f01ff", "hex"))).toBe(false);
    expect(isOneCborItem(Buffer.alloc(40, 0x81))).toBe(false);
  });
});

describe("labels", () => {
  it("are trimmed, cleared when blank, and at most 100 characters", () => {
    expect(parseLabel("  My key ")).toBe("My key");
    expect(parseLabel("  ")).toBeNull();
    expect(parseLabel("🔑".repeat(100))).toBe("🔑".repeat(100));
    expect(() => parseLabel("🔑".repeat(101))).toThrow("invalid_request");
    expect(() => parseLabel("a\u0000b")).toThrow("invalid_request");
  });
});
