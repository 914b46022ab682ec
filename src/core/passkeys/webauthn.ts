import type { PasskeyConfig } from "../../config/config.ts";
import { isOneCborItem } from "./cbor.ts";
import { type AssertionCredential, CeremonyFailure, type RegistrationCredential } from "./credentials.ts";

/** COSE algorithms offered and accepted: ES256/384/512, RS256/384/512, PS256/384/512, EdDSA. */
export const algorithms = [-7, -35, -36, -257, -258, -259, -37, -38, -39, -8];

const maxCredentialIdBytes = 1023;

/** Flags of authenticator data (WebAuthn §6.1). */
const backupEligible = 0x08;
const backupState = 0x10;

export interface NewCredential {
  readonly credentialId: Buffer;
  /** COSE key. */
  readonly publicKey: Buffer;
  readonly signCount: number;
  readonly aaguid: Buffer;
  readonly flags: number;
  readonly backupEligible: boolean;
  readonly backupState: boolean;
  readonly attestationFormat: string;
  /** `none`, `basic_surrogate` (self attestation) or `basic_full` (with a certificate, whose issuer is not checked). */
  readonly attestationType: string;
}

export interface VerifiedAssertion {
  readonly signCount: number;
  readonly flags: number;
  readonly backupEligible: boolean;
  readonly backupState: boolean;
}

/**
 * Verification of ceremonies for one relying party (WebAuthn Level 3 §7.1 and §7.2): type, challenge, origin, RP id, user presence, user
 * verification (always), algorithm, attestation statement or signature. All throw {@link CeremonyFailure}.
 */
export interface WebAuthn {
  verifyRegistration(credential: RegistrationCredential): Promise<NewCredential>;
  /** The sign counter is only read here: whether it may follow the stored one is decided where it is stored. */
  verifyAssertion(credential: AssertionCredential, publicKey: Buffer): Promise<VerifiedAssertion>;
}

/** Scheme and host compare without case and without the default port; anything that is no URL compares exactly. */
function sameOrigin(given: string, allowed: string): boolean {
  if (given === allowed) return true;
  if (!/^https?:\/\/[^/?#@]+$/i.test(given) || !URL.canParse(given) || !URL.canParse(allowed)) return false;
  return new URL(given).origin === new URL(allowed).origin;
}

/** Loaded with the first ceremony: it brings a certificate library with it that most processes never need. */
const library = async () => {
  const [server, helpers] = await Promise.all([
    import("@simplewebauthn/server"),
    import("@simplewebauthn/server/helpers"),
  ]);
  return { ...server, ...helpers };
};

/** Whatever the library finds wrong is a failure of the ceremony. */
async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    throw new CeremonyFailure(cause instanceof Error ? cause.message : "verification failed", { cause });
  }
}

function bytes(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(Buffer.from(text, "base64url"));
}

export function createWebAuthn({ rpId, origins }: Pick<PasskeyConfig, "rpId" | "origins">): WebAuthn {
  function expected({ clientData }: RegistrationCredential | AssertionCredential) {
    if (!origins.some((allowed) => sameOrigin(clientData.origin, allowed)))
      throw new CeremonyFailure(`made at another origin: ${clientData.origin}`);
    return {
      expectedChallenge: clientData.challenge,
      expectedOrigin: clientData.origin,
      expectedRPID: rpId,
      requireUserVerification: true,
    };
  }

  return {
    async verifyRegistration(credential) {
      const { id, clientDataJSON, attestationObject, clientData } = credential;
      if (clientData.type !== "webauthn.create") throw new CeremonyFailure("not a registration");
      const asked = expected(credential);
      if (!isOneCborItem(Buffer.from(attestationObject, "base64url")))
        throw new CeremonyFailure("the attestation object is not one CBOR item");
      const webauthn = await library();
      return refusing(async () => {
        const result = await webauthn.verifyRegistrationResponse({
          ...asked,
          response: {
            id,
            rawId: id,
            type: "public-key",
            clientExtensionResults: {},
            response: { clientDataJSON, attestationObject },
          },
          supportedAlgorithmIDs: algorithms,
        });
        if (!result.verified) throw new CeremonyFailure("the attestation statement is not valid");
        const { registrationInfo: info } = result;
        if (info.credential.id !== id) throw new CeremonyFailure("id and attested credential id differ");
        const credentialId = Buffer.from(id, "base64url");
        if (credentialId.length > maxCredentialIdBytes) throw new CeremonyFailure("the id is too long");
        const attestation = webauthn.decodeAttestationObject(bytes(attestationObject));
        const { flags } = webauthn.parseAuthenticatorData(attestation.get("authData"));
        const certified = attestation.get("attStmt").get("x5c") !== undefined;
        return {
          credentialId,
          publicKey: Buffer.from(info.credential.publicKey),
          signCount: info.credential.counter,
          aaguid: Buffer.from(info.aaguid.replaceAll("-", ""), "hex"),
          flags: flags.flagsInt,
          backupEligible: flags.be,
          backupState: flags.bs,
          attestationFormat: info.fmt,
          attestationType: info.fmt === "none" ? "none" : certified ? "basic_full" : "basic_surrogate",
        };
      });
    },

    async verifyAssertion(credential, publicKey) {
      const { id, clientDataJSON, authenticatorData, signature, userHandle, clientData } = credential;
      if (clientData.type !== "webauthn.get") throw new CeremonyFailure("not a login");
      const asked = expected(credential);
      const webauthn = await library();
      return refusing(async () => {
        const { verified, authenticationInfo } = await webauthn.verifyAuthenticationResponse({
          ...asked,
          response: {
            id,
            rawId: id,
            type: "public-key",
            clientExtensionResults: {},
            response: { clientDataJSON, authenticatorData, signature, userHandle },
          },
          // Zero: the counter says nothing until the signature over it has been checked.
          credential: { id, publicKey: Uint8Array.from(publicKey), counter: 0 },
        });
        if (!verified) throw new CeremonyFailure("the signature is wrong");
        const flags = bytes(authenticatorData)[32] ?? 0;
        return {
          signCount: authenticationInfo.newCounter,
          flags,
          backupEligible: (flags & backupEligible) !== 0,
          backupState: (flags & backupState) !== 0,
        };
      });
    },
  };
}
