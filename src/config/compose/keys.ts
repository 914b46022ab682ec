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
  const keyringFormerSecrets = values.keyringFormerSecrets.flatMap(
    (text) => bytes("AUTHKIT_KEYRING_FORMER_SECRETS", text, [32], input) ?? [],
  );
  if (values.keyringSecret === undefined && values.keyringFormerSecrets.length > 0)
    findings.refuse(
      "AUTHKIT_KEYRING_FORMER_SECRETS",
      "is set without AUTHKIT_KEYRING_SECRET",
      "set the secret in use, which seals; the further ones only open",
    );
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
    keyringFormerSecrets,
    algorithm: values.signingAlgorithm,
    rotationSeconds: values.keyRotation / 1_000,
    totpSecretKey: bytes("AUTHKIT_TOTP_SECRET_KEY", values.totpSecretKey, [16, 24, 32], input),
    totpFormerKeys: values.totpFormerKeys.flatMap(
      (text) => bytes("AUTHKIT_TOTP_FORMER_KEYS", text, [16, 24, 32], input) ?? [],
    ),
    ...codeSecrets(
      input,
      [...(keyringSecret === undefined ? [] : [keyringSecret]), ...keyringFormerSecrets],
      activePrivateKeyPem,
    ),
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
 * The secret that keys the hashes of short codes, and those it was or will be exchanged for. Every node must have the same ones, so they come from
 * secrets the nodes share anyway when none is configured: those of the key ring, else the management tokens, else the active private key (HKDF,
 * RFC 5869). The first of them is in use; so a source that is exchanged with the former one kept beside it takes no code with it.
 */
function codeSecrets(
  input: Input,
  keyringSecrets: readonly Buffer[],
  privateKey: string | undefined,
): Pick<KeysConfig, "codeSecret" | "codeFormerSecrets"> {
  const { values } = input;
  const own = values.codeSecret === undefined ? [] : [values.codeSecret];
  for (const secret of own) checkCodeSecret("AUTHKIT_CODE_SECRET", secret, input);
  for (const secret of values.codeFormerSecrets)
    checkCodeSecret("AUTHKIT_CODE_FORMER_SECRETS", secret, input);
  const tokens =
    values.managementToken === undefined
      ? []
      : [...values.managementToken, ...(values.managementTokenNext ?? [])];
  const better = [...own, ...keyringSecrets];
  const sources = better.length > 0 ? better : tokens.length > 0 ? tokens : (privateKey ?? []);
  const [codeSecret = withoutSource(input), ...others] = [sources].flat().map(derive);
  const former = [...others, ...values.codeFormerSecrets.map(derive)];
  const distinct = new Map(former.map((secret) => [secret.toString("hex"), secret]));
  distinct.delete(codeSecret.toString("hex"));
  return { codeSecret, codeFormerSecrets: [...distinct.values()] };
}

function checkCodeSecret(name: string, secret: string, { findings }: Input): void {
  if (Buffer.byteLength(secret) >= shortestCodeSecret) return;
  findings.refuse(name, "the value is shorter than 32 bytes", "use for example `openssl rand -base64 32`");
}

function withoutSource({ values, findings, development, developmentSecrets }: Input): Buffer {
  if (development) return developmentSecrets?.codeSecret ?? randomBytes(32);
  // Without the management token that alone is the problem to report: it would have been the source.
  if (values.managementDisabled) {
    findings.refuse(
      "AUTHKIT_CODE_SECRET",
      "is not set, and no other shared secret is there to derive it from",
      "set it to at least 32 random bytes, the same on every node",
    );
  }
  return Buffer.alloc(32);
}

function derive(secret: string | Buffer): Buffer {
  return Buffer.from(hkdfSync("sha256", secret, "authkit", "short codes", 32));
}
