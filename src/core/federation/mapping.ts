import type { EmailFallback, FieldMapping, UserMapping } from "../../config/provider-config.ts";
import { JsonNumber } from "../../contract/json.ts";

/** What a provider says about the person who signed in. */
export interface ExternalIdentity {
  /** Canonical; for numbers their own decimal digits. */
  readonly subject: string;
  /** Blank when the provider tells none. */
  readonly email: string;
  /** Only ever true with an address. */
  readonly emailVerified: boolean;
  readonly preferredUsername: string;
  readonly displayName: string;
  /** Seconds since the epoch, when the provider says so (OpenID Connect). */
  readonly authTime: number | undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A member by dotted path; undefined when a step is missing or no object. */
function at(document: unknown, path: string): unknown {
  let value = document;
  for (const segment of path.split(".")) {
    const name = segment.trim();
    if (name === "" || !isRecord(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

function printed(value: unknown): string {
  if (value instanceof JsonNumber) return value.literal;
  return typeof value === "string" || typeof value === "boolean" || typeof value === "number"
    ? String(value)
    : "";
}

function text(document: unknown, field: FieldMapping | undefined): string {
  if (field === undefined) return "";
  const raw = printed(
    field.value ?? (field.path === undefined ? undefined : at(document, field.path)),
  ).trim();
  return field.transforms?.includes("lowercase") ? raw.toLowerCase() : raw;
}

/** The earlier generation takes texts and numbers for yes as well; with `onlyTrue` nothing but `true` counts. */
function truth(document: unknown, field: FieldMapping | undefined, onlyTrue: boolean): boolean {
  if (field === undefined) return false;
  const value = field.value ?? (field.path === undefined ? undefined : at(document, field.path));
  if (onlyTrue) return value === true;
  if (typeof value === "string") return value.trim().toLowerCase() === "true";
  return value === true || (typeof value === "number" && value !== 0);
}

/** The identity in a userinfo answer; undefined without a subject. */
export function mapIdentity(
  document: unknown,
  mapping: UserMapping,
  onlyTrue: boolean,
): ExternalIdentity | undefined {
  const subject = text(document, mapping.subject);
  if (subject === "") return undefined;
  const email = text(document, mapping.email);
  return {
    subject,
    email,
    emailVerified: email !== "" && truth(document, mapping.emailVerified, onlyTrue),
    preferredUsername: text(document, mapping.preferredUsername),
    displayName: text(document, mapping.displayName),
    authTime: undefined,
  };
}

/** The address in the answer of the second request; undefined when there is none that meets the selection. */
export function mapFallbackEmail(
  document: unknown,
  fallback: EmailFallback,
  onlyTrue: boolean,
): Pick<ExternalIdentity, "email" | "emailVerified"> | undefined {
  const entries = fallback.array === true ? document : [document];
  if (!Array.isArray(entries)) return undefined;
  const wanted = Object.entries(fallback.select ?? {});
  const entry: unknown = entries.find((candidate: unknown) =>
    wanted.every(([path, value]) => printed(at(candidate, path)) === value),
  );
  const email = text(entry, fallback.email);
  return email === "" ? undefined : { email, emailVerified: truth(entry, fallback.emailVerified, onlyTrue) };
}

/**
 * How earlier servers stored a numeric subject of seven digits or more: shortest general notation with an exponent. Undefined for all others,
 * which were stored as they are.
 */
export function legacySubject(subject: string): string | undefined {
  if (!/^[1-9][0-9]{6,}$/.test(subject)) return undefined;
  const mantissa = subject.replace(/0+$/, "");
  const fraction = mantissa.length > 1 ? `.${mantissa.slice(1)}` : "";
  return `${mantissa[0]}${fraction}e+${String(subject.length - 1).padStart(2, "0")}`;
}
