import { AuthError, type ErrorCode } from "../../contract/errors/index.ts";
import {
  isStorable,
  isStorableJson,
  isUuid,
  parseNewEmail,
  parseNewPhone,
  parseUsername,
} from "../identifiers/index.ts";
import type { ImportRow } from "./import-store.ts";
import type { ImportedUser } from "./operations.ts";

function refuse(code: ErrorCode): never {
  throw new AuthError(code);
}

function storable(text: string): string {
  return isStorable(text) ? text : refuse("invalid_request");
}

function blankToNull(text: string | null): string | null {
  return text === null || text.trim() === "" ? null : text;
}

function checkedParams(text: string | null): string | null {
  if (text === null) return null;
  try {
    JSON.parse(text);
  } catch (cause) {
    throw new AuthError("invalid_hash_params", { cause });
  }
  return isStorableJson(text) ? text : refuse("invalid_hash_params");
}

/**
 * An account in the form it is written in. Checks in this order: e-mail, phone, username, banning user, metadata, password. Throws the
 * code of the first that fails.
 */
export function parseImportedUser(user: ImportedUser, id: string, now: Date): ImportRow {
  const email = blankToNull(user.email);
  const phone = blankToNull(user.phoneNumber);
  const row = {
    id,
    email: email === null ? null : parseNewEmail(email),
    phoneNumber: phone === null ? null : parseNewPhone(phone),
    username: parseUsername(user.username, "operator"),
  };
  const bannedBy = blankToNull(user.bannedBy)?.trim().toLowerCase() ?? null;
  if (bannedBy !== null && !isUuid(bannedBy)) refuse("invalid_banned_by");
  const metadata = JSON.stringify(user.metadata ?? {});
  if (!isStorableJson(metadata)) refuse("invalid_request");
  const hash = blankToNull(user.passwordHash);
  let password: ImportRow["password"];
  if (hash !== null) {
    const params = checkedParams(user.hashParams);
    password = { hash: storable(hash), algorithm: storable(user.hashAlgo), params };
  }
  return {
    ...row,
    emailVerified: user.emailVerified,
    phoneVerified: user.phoneVerified,
    bannedAt: user.bannedAt,
    bannedUntil: user.bannedUntil,
    banReason: user.banReason === null ? null : storable(user.banReason),
    bannedBy,
    metadata,
    createdAt: user.createdAt ?? now,
    updatedAt: user.updatedAt ?? now,
    password,
  };
}
