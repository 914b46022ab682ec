import { JsonReader, parseTime } from "../../contract/codec/index.ts";
import type { ExportedUser } from "../../core/transfer/index.ts";
import type { ImportedUser } from "../../core/users/index.ts";

/** Members of a record in the order they are written; the header of a CSV file. */
export const columns = [
  "username",
  "email",
  "email_verified",
  "phone_number",
  "phone_verified",
  "password_hash",
  "hash_algo",
  "hash_params",
  "metadata",
  "banned_at",
  "banned_until",
  "ban_reason",
  "banned_by",
  "created_at",
  "updated_at",
] as const;

export type Column = (typeof columns)[number];

/** What a file says of one account: values as they stand there. Text everywhere in CSV. */
export type TransferRecord = ReadonlyMap<Column, unknown>;

/** A record that cannot be an account, and why. */
export class BadRecord extends Error {
  override readonly name = "BadRecord";
}

const byPlainName: ReadonlyMap<string, Column> = new Map(
  columns.map((column) => [column.replaceAll("_", ""), column] as const),
);

/** `password_hash`, `PasswordHash` and `passwordHash` are the same column. @throws BadRecord for a name that is none */
export function columnOf(name: string): Column {
  const column = byPlainName.get(name.trim().replaceAll("_", "").toLowerCase());
  if (column === undefined) throw new BadRecord(`unknown column ${JSON.stringify(name)}`);
  return column;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

class RecordReader {
  readonly #record: TransferRecord;
  constructor(record: TransferRecord) {
    this.#record = record;
  }

  #get(column: Column): unknown {
    const value = this.#record.get(column);
    return value === undefined || value === "" ? null : value;
  }

  text(column: Column): string | null {
    const value = this.#get(column);
    if (value === null || typeof value === "string") return value;
    throw new BadRecord(`${column}: not a text`);
  }

  bool(column: Column): boolean {
    const value = this.#get(column);
    if (value === null || value === false || value === "false" || value === "0") return false;
    if (value === true || value === "true" || value === "1") return true;
    throw new BadRecord(`${column}: not true or false`);
  }

  time(column: Column): Date | null {
    const text = this.text(column);
    if (text === null) return null;
    try {
      return parseTime(text);
    } catch {
      throw new BadRecord(`${column}: not an RFC 3339 time`);
    }
  }

  /** A JSON value, or its text in a CSV field. */
  json(column: Column): unknown {
    const value = this.#get(column);
    if (typeof value !== "string") return value;
    try {
      const reader = new JsonReader(value);
      const parsed = reader.json();
      reader.end();
      return parsed;
    } catch {
      throw new BadRecord(`${column}: not JSON`);
    }
  }
}

/** @throws BadRecord */
export function userOf(record: TransferRecord): ImportedUser {
  const read = new RecordReader(record);
  const metadata = read.json("metadata");
  if (metadata !== null && !isObject(metadata)) throw new BadRecord("metadata: not an object");
  const params = read.json("hash_params");
  return {
    username: read.text("username") ?? "",
    email: read.text("email"),
    emailVerified: read.bool("email_verified"),
    phoneNumber: read.text("phone_number"),
    phoneVerified: read.bool("phone_verified"),
    passwordHash: read.text("password_hash"),
    hashAlgo: read.text("hash_algo") ?? "",
    hashParams: params === null ? null : JSON.stringify(params),
    metadata,
    bannedAt: read.time("banned_at"),
    bannedUntil: read.time("banned_until"),
    banReason: read.text("ban_reason"),
    bannedBy: read.text("banned_by"),
    createdAt: read.time("created_at"),
    updatedAt: read.time("updated_at"),
  };
}

/** The record of an account: the very one that {@link userOf} reads back. Empty members are left out. */
export function recordOf(user: ExportedUser): TransferRecord {
  const members: readonly (readonly [Column, unknown])[] = [
    ["username", user.username],
    ["email", user.email],
    ["email_verified", user.emailVerified || null],
    ["phone_number", user.phoneNumber],
    ["phone_verified", user.phoneVerified || null],
    ["password_hash", user.passwordHash],
    ["hash_algo", user.hashAlgo === "" ? null : user.hashAlgo],
    ["hash_params", user.hashParams],
    ["metadata", Object.keys(user.metadata).length === 0 ? null : user.metadata],
    ["banned_at", user.bannedAt?.toISOString() ?? null],
    ["banned_until", user.bannedUntil?.toISOString() ?? null],
    ["ban_reason", user.banReason],
    ["banned_by", user.bannedBy],
    ["created_at", user.createdAt.toISOString()],
    ["updated_at", user.updatedAt.toISOString()],
  ];
  return new Map(members.filter(([, value]) => value !== null));
}
