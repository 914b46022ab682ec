import { AuthError } from "../../contract/errors/index.ts";

/** What is wrong with a ceremony: for the log, never for the client. */
export class CeremonyFailure extends Error {
  override readonly name = "CeremonyFailure";
  /** Whose login it would have been, where that is known. */
  readonly userId: string;

  constructor(reason: string, options: { readonly cause?: unknown; readonly userId?: string } = {}) {
    super(reason, options.cause === undefined ? undefined : { cause: options.cause });
    this.userId = options.userId ?? "";
  }
}

/** Members of the client data that matter here (WebAuthn §5.8.1). */
export interface ClientData {
  readonly type: string;
  readonly challenge: string;
  readonly origin: string;
}

interface Credential {
  readonly id: string;
  readonly clientDataJSON: string;
  readonly clientData: ClientData;
}

/** Binary members are base64url without padding. */
export interface RegistrationCredential extends Credential {
  readonly attestationObject: string;
  readonly transports: readonly string[];
  readonly authenticatorAttachment: "platform" | "cross-platform" | "";
}

export interface AssertionCredential extends Credential {
  readonly authenticatorData: string;
  readonly signature: string;
  readonly userHandle: string;
}

const base64url = /^[A-Za-z0-9_-]+$/;
const padded = /^([A-Za-z0-9_-]+)={0,2}$/;
const maxTransports = 10;
const maxTransportLength = 32;

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? Reflect.get(value, name)
    : undefined;
}

/** A binary member; padding, which some platforms add, is dropped. */
function binary(value: unknown, name: string): string {
  const given = member(value, name);
  const text = typeof given === "string" ? padded.exec(given)?.[1] : undefined;
  if (text === undefined || text.length % 4 === 1) throw new CeremonyFailure(`${name} is no base64url text`);
  return text;
}

function readClientData(text: string): ClientData {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, "base64url").toString("utf8"));
  } catch (cause) {
    throw new CeremonyFailure("the client data is no JSON", { cause });
  }
  const [type, challenge, origin] = ["type", "challenge", "origin"].map((name) => member(value, name));
  if (typeof type !== "string" || typeof challenge !== "string" || typeof origin !== "string")
    throw new CeremonyFailure("the client data lacks members");
  if (![undefined, null, false].some((no) => no === member(value, "crossOrigin")))
    throw new CeremonyFailure("made in a cross-origin frame");
  if (member(value, "topOrigin") != null) throw new CeremonyFailure("made below another top origin");
  return { type, challenge, origin };
}

function readCredential(json: unknown): Credential {
  const id = member(json, "id");
  if (typeof id !== "string" || !base64url.test(id)) throw new CeremonyFailure("id is no base64url text");
  if (binary(json, "rawId") !== id) throw new CeremonyFailure("id and rawId differ");
  if (member(json, "type") !== "public-key") throw new CeremonyFailure("not a public key");
  const clientDataJSON = binary(member(json, "response"), "clientDataJSON");
  return { id, clientDataJSON, clientData: readClientData(clientDataJSON) };
}

function readTransports(value: unknown): string[] {
  if (!Array.isArray(value)) return [];
  const names = value
    .filter((name): name is string => typeof name === "string" && /^[a-z-]+$/.test(name))
    .filter((name) => name.length <= maxTransportLength)
    // The former name of the hybrid transport.
    .map((name) => (name === "cable" ? "hybrid" : name));
  return [...new Set(names)].slice(0, maxTransports);
}

/** Reads `RegistrationResponseJSON`. Throws {@link CeremonyFailure}. */
export function readRegistration(json: unknown): RegistrationCredential {
  const credential = readCredential(json);
  const response = member(json, "response");
  const attachment = member(json, "authenticatorAttachment");
  return {
    ...credential,
    attestationObject: binary(response, "attestationObject"),
    transports: readTransports(member(response, "transports")),
    authenticatorAttachment: attachment === "platform" || attachment === "cross-platform" ? attachment : "",
  };
}

/** Reads `AuthenticationResponseJSON`. Throws {@link CeremonyFailure}. */
export function readAssertion(json: unknown): AssertionCredential {
  const credential = readCredential(json);
  const response = member(json, "response");
  return {
    ...credential,
    authenticatorData: binary(response, "authenticatorData"),
    signature: binary(response, "signature"),
    userHandle: binary(response, "userHandle"),
  };
}

/** Longest label, in characters. */
const maxLabel = 100;

/** The label to store; null for a blank one. Throws `invalid_request`. */
export function parseLabel(text: string): string | null {
  const label = text.trim();
  if ([...label].length > maxLabel || label.includes("\u0000")) throw new AuthError("invalid_request");
  return label === "" ? null : label;
}
