import { browserError, managementError } from "../../contract/errors/index.ts";

const mask = "[redacted]";
const deepest = 6;

/** Names compare in lower case without `_` and `-`. */
const secretNames = new Set([
  "authorization",
  "proxyauthorization",
  "cookie",
  "setcookie",
  "password",
  "currentpassword",
  "newpassword",
  "passwd",
  "passwordhash",
  "secret",
  "clientsecret",
  "token",
  "accesstoken",
  "refreshtoken",
  "idtoken",
  "linktoken",
  "resettoken",
  "apikey",
  "xapikey",
  "privatekey",
  "privatejwk",
  "pem",
  "challenge",
  "codeverifier",
  "dsn",
  "databaseurl",
  "redisurl",
  "totp",
  "otp",
  "backupcode",
  "backupcodes",
  "assertion",
  "signature",
]);

const secretEndings = ["password", "secret", "token", "privatekey", "apikey"];

const email = /\b([A-Za-z0-9])[A-Za-z0-9._%+'-]*@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)/g;
const phone = /\+[1-9]\d{5,12}(\d{2})\b/g;
const urlCredentials = /([a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;
const jwt = /\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?/g;
const bearer = /\b(Bearer|Basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi;
const systemCode = /^E[A-Z0-9_]{3,}$|^(?:ERR|UND_ERR)_[A-Z0-9_]+$/;

/** Masks credentials in URLs, bearer tokens, JWTs, e-mail addresses and phone numbers inside a text. */
export function redactText(text: string): string {
  if (text.length < 6) return text;
  let clean = text;
  if (clean.includes("://")) clean = clean.replace(urlCredentials, `$1${mask}@`);
  if (clean.includes("eyJ")) clean = clean.replace(jwt, mask);
  clean = clean.replace(bearer, `$1 ${mask}`);
  if (clean.includes("@")) clean = clean.replace(email, "$1***@$2");
  if (clean.includes("+")) clean = clean.replace(phone, "+***$1");
  return clean;
}

/** A copy of log fields with secret members masked by name and personal data masked inside values. Errors become {@link describeError}. */
export function redactFields(fields: object): Record<string, unknown> {
  return redactMembers(fields, 0, new Set());
}

function redactMembers(value: object, depth: number, path: Set<object>): Record<string, unknown> {
  const clean: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    clean[name] = isSecret(name, member) ? mask : redactValue(member, depth + 1, path);
  }
  return clean;
}

function redactValue(value: unknown, depth: number, path: Set<object>): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return describeError(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  // Bytes are keys, hashes or bodies more often than anything worth reading.
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth > deepest || path.has(value)) return "[…]";
  path.add(value);
  try {
    if (Array.isArray(value)) return value.map((item: unknown) => redactValue(item, depth + 1, path));
    if (value instanceof Map || value instanceof Set) return `[${value.size} entries]`;
    return redactMembers(value, depth, path);
  } finally {
    path.delete(value);
  }
}

function isSecret(name: string, value: unknown): boolean {
  if (value === undefined || value === null || typeof value === "boolean") return false;
  const plain = name.toLowerCase().replaceAll(/[_-]/g, "");
  // `code` names error codes as well as one-time codes: only those of the catalogue and the system's are let through.
  if (plain === "code") return !isErrorCode(value);
  return secretNames.has(plain) || secretEndings.some((ending) => plain.endsWith(ending));
}

function isErrorCode(value: unknown): boolean {
  if (typeof value !== "string") return false;
  return browserError(value) !== undefined || managementError(value) !== undefined || systemCode.test(value);
}

/** What the log shows of an error: no values of SQL statements, no enumerable extras of drivers, the chain of causes. */
export function describeError(error: Error, depth = 0): Record<string, unknown> {
  const database = isDatabaseError(error);
  const described: Record<string, unknown> = { type: error.name, message: describeMessage(error, database) };
  for (const name of database ? ["code", "constraint", "table", "schema"] : ["code", "syscall", "port"]) {
    const value: unknown = Reflect.get(error, name);
    if (typeof value === "string" || typeof value === "number") described[name] = value;
  }
  const frames = error.stack?.split("\n").filter((line) => /^\s+at /.test(line));
  if (frames !== undefined && frames.length > 0) described["stack"] = frames.join("\n");
  if (error.cause instanceof Error && depth < 4) described["cause"] = describeError(error.cause, depth + 1);
  if (error instanceof AggregateError) {
    described["errors"] = error.errors
      .slice(0, 5)
      .map((one: unknown) => (one instanceof Error ? describeError(one, depth + 1) : typeof one));
  }
  return described;
}

/** PostgreSQL repeats offending values after a colon or in quotes when data is at fault (class 22, 23). */
function describeMessage(error: Error, database: boolean): string {
  if (!database) return redactText(error.message);
  const code: unknown = Reflect.get(error, "code");
  const dataAtFault = typeof code === "string" && (code.startsWith("22") || code.startsWith("23"));
  return dataAtFault ? redactText(error.message.replace(/:.*$/s, "")) : redactText(error.message);
}

function isDatabaseError(error: Error): boolean {
  const code: unknown = Reflect.get(error, "code");
  return (
    typeof code === "string" && /^[0-9A-Z]{5}$/.test(code) && Reflect.get(error, "severity") !== undefined
  );
}
