import { createPrivateKey, hkdfSync, randomBytes } from "node:crypto";
import type { KeysConfig } from "../config.ts";
import { decodeKeyBytes } from "../key-bytes.ts";
import { BadValue } from "../values.ts";
import type { Input } from "./input.ts";

const smallestRsa = 2_048;
const shortestCodeSecret = 32;
const curves = new Set(["prime256v1", "secp384r1", "secp521r1"]);

export function composeKeys(input: Input): KeysConfig {
  const { values, findings } = input;
  if (values.keyRotation < 0)
    findings.refuse("AUTHKIT_KEY_ROTATION", "is negative", "use 0 for rotation by command only");
  if (values.keyRotation > 0 && values.keyRotation < 3_600_000) {
    findings.refuse(
      "AUTHKIT_KEY_ROTATION",
      "is shorter than an hour",
      "keys must be published well before their first use",
    );
  }
  const keyringSecret = bytes("AUTHKIT_KEYRING_SECRET", values.keyringSecret, [32], input);
  const activePrivateKeyPem = unescapePem(values.activePrivateKey);
  checkActiveKey(input, activePrivateKeyPem);
  return {
    path: values.keysPath,
    activeKeyId: values.activeKeyId,
    activePrivateKeyPem,
    publicKeys: Object.fromEntries(
      Object.entries(values.publicKeys).map(([kid, pem]) => [kid, unescapePem(pem) ?? pem]),
    ),
    keyringSecret,
    algorithm: values.signingAlgorithm,
    rotationSeconds: values.keyRotation / 1_000,
    totpSecretKey: bytes("AUTHKIT_TOTP_SECRET_KEY", values.totpSecretKey, [16, 24, 32], input),
    totpFormerKeys: values.totpFormerKeys.flatMap(
      (text) => bytes("AUTHKIT_TOTP_FORMER_KEYS", text, [16, 24, 32], input) ?? [],
    ),
    codeSecret: codeSecret(input, keyringSecret, activePrivateKeyPem),
    verifyOnly: values.verifyOnly,
  };
}

/** Environment files cannot hold line breaks everywhere; a literal `\n` never occurs inside PEM. */
export function unescapePem(pem: string | undefined): string | undefined {
  return pem?.replaceAll("\\n", "\n");
}

function checkActiveKey({ values, findings }: Input, pem: string | undefined): void {
  if ((values.activeKeyId === undefined) !== (pem === undefined)) {
    const [there, missing] =
      pem === undefined
        ? ["AUTHKIT_ACTIVE_KEY_ID", "AUTHKIT_ACTIVE_PRIVATE_KEY_PEM"]
        : ["AUTHKIT_ACTIVE_PRIVATE_KEY_PEM", "AUTHKIT_ACTIVE_KEY_ID"];
    findings.refuse(there, `is set without ${missing}`, "set both or neither");
  }
  if (pem !== undefined) {
    const flaw = privateKeyFlaw(pem);
    if (flaw !== undefined) {
      findings.refuse(
        "AUTHKIT_ACTIVE_PRIVATE_KEY_PEM",
        `the value ${flaw}`,
        "must be an unencrypted PEM private key: RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519",
      );
    }
    if (values.verifyOnly)
      findings.refuse("AUTHKIT_VERIFY_ONLY", "is true while a signing key is given", "remove one of the two");
  }
}

function privateKeyFlaw(pem: string): string | undefined {
  try {
    const key = createPrivateKey(pem);
    const { modulusLength = 0, namedCurve = "" } = key.asymmetricKeyDetails ?? {};
    if (key.asymmetricKeyType === "rsa")
      return modulusLength < smallestRsa ? `is an RSA key of ${modulusLength} bits` : undefined;
    if (key.asymmetricKeyType === "ec")
      return curves.has(namedCurve) ? undefined : `is a key on the curve ${namedCurve}`;
    return key.asymmetricKeyType === "ed25519" ? undefined : `is a key of the type ${key.asymmetricKeyType}`;
  } catch {
    return "is no private key";
  }
}

function bytes(
  name: string,
  text: string | undefined,
  sizes: readonly number[],
  { findings }: Input,
): Buffer | undefined {
  if (text === undefined) return undefined;
  try {
    return decodeKeyBytes(text, sizes, { raw: name.startsWith("AUTHKIT_TOTP_") });
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    findings.refuse(
      name,
      `the value ${error.message}`,
      `must be ${sizes.join(", ")} bytes, written as hexadecimal or base64`,
    );
    return undefined;
  }
}

/**
 * Keys the hashes of short codes. Every node must have the same one, so it comes from a secret they share anyway when none is
 * configured: the key-ring secret, else the management token, else the active private key (HKDF, RFC 5869).
 */
function codeSecret(input: Input, keyringSecret: Buffer | undefined, privateKey: string | undefined): Buffer {
  const { values, findings, developmentSecrets } = input;
  const own = values.codeSecret;
  if (own !== undefined) {
    if (Buffer.byteLength(own) < shortestCodeSecret) {
      findings.refuse(
        "AUTHKIT_CODE_SECRET",
        "the value is shorter than 32 bytes",
        "use for example `openssl rand -base64 32`",
      );
    }
    return derive(own);
  }
  const shared = keyringSecret ?? values.managementToken?.[0] ?? privateKey;
  if (shared !== undefined) return derive(shared);
  if (input.development) return developmentSecrets?.codeSecret ?? randomBytes(32);
  // Without the management token that alone is the problem to report: it would have been the source.
  if (!values.managementDisabled) return Buffer.alloc(32);
  findings.refuse(
    "AUTHKIT_CODE_SECRET",
    "is not set, and no other shared secret is there to derive it from",
    "set it to at least 32 random bytes, the same on every node",
  );
  return Buffer.alloc(32);
}

function derive(secret: string | Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "authkit", "short codes", 32));
}
