import { join } from "node:path";
import type { Config, KeysConfig } from "../../config/config.ts";
import type { Log } from "../../platform/log/port.ts";
import { SigningKeyError } from "./errors.ts";
import { readSecretFile } from "./secret-file.ts";

const hex = /^(?:[0-9a-fA-F]{2})+$/;
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const base64Raw = /^[A-Za-z0-9+/]+$/;
const base64Url = /^(?:[A-Za-z0-9_-]{4})*(?:[A-Za-z0-9_-]{2}==|[A-Za-z0-9_-]{3}=)?$/;
const base64UrlRaw = /^[A-Za-z0-9_-]+$/;

function isAesKey(key: Buffer): boolean {
  return key.length === 16 || key.length === 24 || key.length === 32;
}

/** Reads text as hex, then as each base64 alphabet, then as the bytes themselves; the first result of 16, 24 or 32 bytes wins. */
function decodeKey(content: Buffer): Buffer | undefined {
  const text = content.toString("latin1").replace(/^[\t\n\v\f\r ]+|[\t\n\v\f\r ]+$/g, "");
  const readings: Buffer[] = [];
  if (hex.test(text)) readings.push(Buffer.from(text, "hex"));
  if (base64.test(text) || base64Raw.test(text)) readings.push(Buffer.from(text, "base64"));
  if (base64Url.test(text) || base64UrlRaw.test(text)) readings.push(Buffer.from(text, "base64url"));
  readings.push(Buffer.from(text, "latin1"), content);
  return readings.find(isAesKey);
}

/** The keys of a file: one, in whatever form, or several on lines of their own, newest first; undefined when there is anything else. */
function decodeKeys(content: Buffer): Buffer[] | undefined {
  const whole = decodeKey(content);
  if (whole !== undefined) return [whole];
  const lines = content
    .toString("latin1")
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "");
  const keys = lines.flatMap((line) => decodeKey(Buffer.from(line, "latin1")) ?? []);
  return keys.length > 0 && keys.length === lines.length ? keys : undefined;
}

/** What TOTP secrets are sealed with, and what they may have been sealed with before. */
export interface TotpKeys {
  readonly current: Buffer;
  /** Newest first. */
  readonly former: readonly Buffer[];
}

/**
 * The AES keys for stored TOTP secrets: from configuration, else from `totp.key` in the key directory, which may hold several. Undefined when
 * there is none; TOTP is then not offered.
 * @throws SigningKeyError when a key is empty or no AES key size, or others may write the file
 */
export async function loadTotpKeys(keys: KeysConfig, log: Log): Promise<TotpKeys | undefined> {
  if (keys.totpSecretKey !== undefined) {
    if (isAesKey(keys.totpSecretKey)) return { current: keys.totpSecretKey, former: keys.totpFormerKeys };
    throw new SigningKeyError(
      `the TOTP secret key has ${keys.totpSecretKey.length} bytes; 16, 24 or 32 are required`,
    );
  }
  const path = join(keys.path, "totp.key");
  const file = await readSecretFile(path, log);
  if (file === undefined) return undefined;
  const [current, ...former] = decodeKeys(file.content) ?? [];
  if (current === undefined)
    throw new SigningKeyError(
      `${path} must hold 16, 24 or 32 bytes: as hex, base64 or raw, or several such keys on lines of their own`,
    );
  return { current, former: [...former, ...keys.totpFormerKeys] };
}

/**
 * Reads the key once before the primary forks, so that one that cannot be used is refused in one line, and says so when TOTP is among the
 * methods without a key. Workers load it again.
 * @throws SigningKeyError as {@link loadTotpKeys}, and when a second factor is required and there is no method but TOTP
 */
export async function prepareTotpKey(
  config: Pick<Config, "keys" | "mfa" | "senders">,
  log: Log,
): Promise<void> {
  const key = await loadTotpKeys(config.keys, log);
  const { mode, methods } = config.mfa;
  if (key !== undefined || mode === "disabled" || !methods.includes("totp")) return;
  const sent =
    (methods.includes("email") && config.senders.mail !== undefined) ||
    (methods.includes("sms") && config.senders.sms !== undefined);
  const path = join(config.keys.path, "totp.key");
  if (mode === "required" && !sent) {
    throw new SigningKeyError(
      `AUTHKIT_2FA_MODE is required, but TOTP, the only method, has no key; set AUTHKIT_TOTP_SECRET_KEY or write ${path}`,
    );
  }
  log.warn(
    { path },
    "TOTP is not offered: there is no key for its secrets; set AUTHKIT_TOTP_SECRET_KEY or write the file",
  );
}
