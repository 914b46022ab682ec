import { constants, createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";

type CborValue = number | string | Buffer | ReadonlyMap<number | string, CborValue>;

function head(major: number, argument: number): Buffer {
  if (argument < 24) return Buffer.of((major << 5) | argument);
  if (argument < 0x100) return Buffer.of((major << 5) | 24, argument);
  return Buffer.of((major << 5) | 25, argument >> 8, argument & 0xff);
}

/** As much of CBOR (RFC 8949) as attestation objects need. */
export function encodeCbor(value: CborValue): Buffer {
  if (typeof value === "number") return value < 0 ? head(1, -1 - value) : head(0, value);
  if (typeof value === "string")
    return Buffer.concat([head(3, Buffer.byteLength(value)), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([head(2, value.length), value]);
  const items = [...value].flatMap(([name, item]) => [encodeCbor(name), encodeCbor(item)]);
  return Buffer.concat([head(5, value.size), ...items]);
}

const hashes: Readonly<Record<number, string>> = {
  [-7]: "sha256",
  [-35]: "sha384",
  [-36]: "sha512",
  [-257]: "sha256",
  [-258]: "sha384",
  [-259]: "sha512",
  [-37]: "sha256",
  [-38]: "sha384",
  [-39]: "sha512",
};
const curves: Readonly<Record<number, { readonly name: string; readonly cose: number }>> = {
  [-7]: { name: "P-256", cose: 1 },
  [-35]: { name: "P-384", cose: 2 },
  [-36]: { name: "P-521", cose: 3 },
};

interface Key {
  readonly privateKey: KeyObject;
  readonly cose: Buffer;
}

function makeKey(algorithm: number): Key {
  const member = (jwk: Record<string, unknown>, name: string): Buffer =>
    Buffer.from(String(jwk[name]), "base64url");
  const curve = curves[algorithm];
  if (curve !== undefined) {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: curve.name });
    const jwk = { ...publicKey.export({ format: "jwk" }) };
    const cose = new Map<number, CborValue>([
      [1, 2],
      [3, algorithm],
      [-1, curve.cose],
      [-2, member(jwk, "x")],
      [-3, member(jwk, "y")],
    ]);
    return { privateKey, cose: encodeCbor(cose) };
  }
  if (algorithm === -8) {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const x = member({ ...publicKey.export({ format: "jwk" }) }, "x");
    const cose = new Map<number, CborValue>([
      [1, 1],
      [3, -8],
      [-1, 6],
      [-2, x],
    ]);
    return { privateKey, cose: encodeCbor(cose) };
  }
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: "jwk" }) };
  const cose = new Map<number, CborValue>([
    [1, 3],
    [3, algorithm],
    [-1, member(jwk, "n")],
    [-2, member(jwk, "e")],
  ]);
  return { privateKey, cose: encodeCbor(cose) };
}

/** Bits of authenticator data. */
export const flag = { present: 1, verified: 4, backupEligible: 8, backupState: 16, attested: 64 } as const;

/** What an answer says instead of the truth. */
export interface Lies {
  readonly type?: string;
  readonly challenge?: string;
  readonly origin?: string;
  readonly crossOrigin?: boolean;
  readonly rpId?: string;
  readonly flags?: number;
  readonly signCount?: number;
  readonly userHandle?: string;
  readonly attestationStatement?: ReadonlyMap<string, CborValue>;
  /** Appended to the attestation object. */
  readonly trailing?: Buffer;
}

export interface AuthenticatorOptions {
  /** COSE algorithm; -7 (ES256) when absent. */
  readonly algorithm?: number;
  readonly origin: string;
  /** Whether the counter moves; otherwise it stays 0, as with synchronised passkeys. */
  readonly counting?: boolean;
  readonly backedUp?: boolean;
}

export interface CreationAnswer {
  readonly id: string;
  readonly rawId: string;
  readonly type: "public-key";
  readonly authenticatorAttachment: string;
  readonly clientExtensionResults: object;
  readonly response: {
    readonly clientDataJSON: string;
    readonly attestationObject: string;
    readonly transports: readonly string[];
  };
}

/** An authenticator with one credential, and the browser it is plugged into. */
export class SoftwareAuthenticator {
  readonly id = randomBytes(32);
  signCount = 0;
  userHandle = "";
  readonly #options: AuthenticatorOptions;
  readonly #key: Key;

  constructor(options: AuthenticatorOptions) {
    this.#options = options;
    this.#key = makeKey(options.algorithm ?? -7);
  }

  #clientData(type: string, challenge: string, lies: Lies): Buffer {
    return Buffer.from(
      JSON.stringify({
        type: lies.type ?? type,
        challenge: lies.challenge ?? challenge,
        origin: lies.origin ?? this.#options.origin,
        crossOrigin: lies.crossOrigin ?? false,
      }),
    );
  }

  #authenticatorData(rpId: string, extra: number, lies: Lies): Buffer {
    if (this.#options.counting === true) this.signCount++;
    const backup = this.#options.backedUp === true ? flag.backupEligible | flag.backupState : 0;
    const flags = (lies.flags ?? flag.present | flag.verified | backup) | extra;
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(lies.signCount ?? this.signCount);
    const rpIdHash = createHash("sha256")
      .update(lies.rpId ?? rpId)
      .digest();
    return Buffer.concat([rpIdHash, Buffer.of(flags), counter]);
  }

  #sign(data: Buffer): Buffer {
    const algorithm = this.#options.algorithm ?? -7;
    const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST };
    const key = this.#key.privateKey;
    return sign(
      hashes[algorithm] ?? null,
      data,
      algorithm <= -37 && algorithm >= -39 ? { key, ...pss } : key,
    );
  }

  /** Answers `navigator.credentials.create`. */
  create(
    options: {
      readonly challenge: string;
      readonly rp: { readonly id: string };
      readonly user: { readonly id: string };
    },
    lies: Lies = {},
  ): CreationAnswer {
    this.userHandle = options.user.id;
    const idLength = Buffer.alloc(2);
    idLength.writeUInt16BE(this.id.length);
    const authData = Buffer.concat([
      this.#authenticatorData(options.rp.id, flag.attested, lies),
      Buffer.alloc(16, 0xaa),
      idLength,
      this.id,
      this.#key.cose,
    ]);
    const attestation = encodeCbor(
      new Map<string, CborValue>([
        ["fmt", "none"],
        ["attStmt", lies.attestationStatement ?? new Map<string, CborValue>()],
        ["authData", authData],
      ]),
    );
    const id = this.id.toString("base64url");
    return {
      id,
      rawId: id,
      type: "public-key",
      authenticatorAttachment: "platform",
      clientExtensionResults: {},
      response: {
        clientDataJSON: this.#clientData("webauthn.create", options.challenge, lies).toString("base64url"),
        attestationObject: Buffer.concat([attestation, lies.trailing ?? Buffer.alloc(0)]).toString(
          "base64url",
        ),
        transports: ["internal", "cable"],
      },
    };
  }

  /** Answers `navigator.credentials.get`. */
  get(options: { readonly challenge: string; readonly rpId: string }, lies: Lies = {}) {
    const clientData = this.#clientData("webauthn.get", options.challenge, lies);
    const authData = this.#authenticatorData(options.rpId, 0, lies);
    const signature = this.#sign(Buffer.concat([authData, createHash("sha256").update(clientData).digest()]));
    const id = this.id.toString("base64url");
    return {
      id,
      rawId: id,
      type: "public-key",
      clientExtensionResults: {},
      response: {
        clientDataJSON: clientData.toString("base64url"),
        authenticatorData: authData.toString("base64url"),
        signature: signature.toString("base64url"),
        userHandle: lies.userHandle ?? this.userHandle,
      },
    };
  }
}
