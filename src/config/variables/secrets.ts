import { listenAddress } from "../network.ts";
import { boolean, duration, list, oneOf, path, text, textMap } from "../values.ts";
import { optional, variable } from "../variable.ts";

/** Management API and key material. */
export const secrets = {
  managementToken: optional("AUTHKIT_MGMT_TOKEN", list(text), {
    origin: "contract",
    secret: true,
    defaultText: "required in production; generated in development",
    doc: "Bearer token of the management API. Several, separated by commas, are all accepted.",
  }),
  managementTokenNext: optional("AUTHKIT_MGMT_TOKEN_NEXT", list(text), {
    secret: true,
    doc: "Further management token, accepted while tokens are being exchanged.",
  }),
  introspectToken: optional("AUTHKIT_INTROSPECT_TOKEN", text, {
    secret: true,
    doc: "Token accepted for the introspection methods only, for resource servers that need no more.",
  }),
  managementOpen: variable("AUTHKIT_MGMT_OPEN", boolean, false, {
    doc: "Serve the management API without any token. Development class and loopback listener only.",
  }),
  managementDisabled: variable("AUTHKIT_MGMT_DISABLED", boolean, false, {
    doc: "Run without the management API; production then needs no token.",
  }),
  managementListen: optional("AUTHKIT_MGMT_LISTEN_ADDR", listenAddress, {
    defaultText: "the public listener",
    doc: "Own listener of the management API, which then is absent from the public one.",
  }),

  keysPath: variable("AUTHKIT_KEYS_PATH", path, "/vault/auth", {
    origin: "contract",
    doc: "Directory of `keys.json` and `totp.key`.",
  }),
  activeKeyId: optional("AUTHKIT_ACTIVE_KEY_ID", text, {
    origin: "later",
    aliases: [{ name: "ACTIVE_KEY_ID", deprecated: true }],
    doc: "`kid` of the signing key given by the environment; wins over `keys.json`.",
  }),
  activePrivateKey: optional("AUTHKIT_ACTIVE_PRIVATE_KEY_PEM", text, {
    origin: "later",
    secret: true,
    aliases: [{ name: "ACTIVE_PRIVATE_KEY_PEM", deprecated: true }],
    doc: "Signing key as PEM (RSA of 2048 bits or more, P-256, P-384, P-521, Ed25519). A literal `\\n` stands for a line break.",
  }),
  publicKeys: variable(
    "AUTHKIT_PUBLIC_KEYS",
    textMap,
    {},
    {
      origin: "later",
      file: true,
      defaultText: "none",
      aliases: [{ name: "PUBLIC_KEYS", deprecated: true }],
      doc: "Further verification keys, JSON object of `kid` → PEM.",
    },
  ),
  keyringSecret: optional("AUTHKIT_KEYRING_SECRET", text, {
    secret: true,
    defaultText: "no managed key ring",
    doc: "32 bytes as hexadecimal or base64. Turns on the key ring managed in the database and encrypts its private keys.",
  }),
  keyringFormerSecrets: variable("AUTHKIT_KEYRING_FORMER_SECRETS", list(text), [], {
    secret: true,
    defaultText: "none",
    doc: "Further secrets that open what the key ring holds, as in `AUTHKIT_KEYRING_SECRET`: former ones, or the one to come. Nothing is sealed with them; `authkit-server keys reseal` makes them dispensable.",
  }),
  signingAlgorithm: variable(
    "AUTHKIT_SIGNING_ALGORITHM",
    oneOf("RS256", "ES256", "ES384", "ES512", "EdDSA"),
    "ES256",
    {
      yaml: "keys.algorithm",
      doc: "Algorithm of keys this server makes.",
    },
  ),
  keyRotation: variable("AUTHKIT_KEY_ROTATION", duration, 2_160 * 3_600_000, {
    yaml: "keys.rotation",
    defaultText: "`2160h`",
    doc: "Time between rotations of the managed key ring; `0` = by command only.",
  }),
  totpFormerKeys: variable("AUTHKIT_TOTP_FORMER_KEYS", list(text), [], {
    secret: true,
    defaultText: "none",
    doc: "Former keys of TOTP secrets, newest first, as in `AUTHKIT_TOTP_SECRET_KEY`. What one of them still opens is sealed anew when its owner uses it.",
  }),
  totpSecretKey: optional("AUTHKIT_TOTP_SECRET_KEY", text, {
    secret: true,
    defaultText: "`totp.key` in the keys directory",
    doc: "16, 24 or 32 bytes (hexadecimal, base64 or raw) that encrypt TOTP secrets.",
  }),
  codeSecret: optional("AUTHKIT_CODE_SECRET", text, {
    secret: true,
    defaultText:
      "derived (HKDF-SHA256) from the key-ring secret, else the management token, else the active private key",
    doc: "At least 32 bytes that key the hashes of short codes. Every node needs the same.",
  }),
  codeFormerSecrets: variable("AUTHKIT_CODE_FORMER_SECRETS", list(text), [], {
    secret: true,
    defaultText: "none; where the code secret is derived, the others its source may be exchanged for",
    doc: "Further code secrets, former ones or the one to come: codes and queued messages made with them stay good. None may contain a comma.",
  }),
  verifyOnly: variable("AUTHKIT_VERIFY_ONLY", boolean, false, {
    doc: "Issue nothing: no signing key, an empty key set.",
  }),
};
