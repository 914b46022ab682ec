import { randomBytes } from "node:crypto";
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DevelopmentSecrets } from "./compose/input.ts";
import { decodeKeyBytes } from "./key-bytes.ts";

export const managementTokenFile = "management-token";
const codeSecretFile = "code-secret";

/**
 * The secrets a server in development makes for itself: read from the state directory, made there (mode 0600) when missing. Safe
 * when several processes start at once: the first one's value holds.
 *
 * @throws the file system's error when the directory cannot be used.
 */
export function ensureDevelopmentSecrets(stateDirectory: string): DevelopmentSecrets {
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 });
  const managementToken = ensureFile(join(stateDirectory, managementTokenFile), () =>
    randomBytes(32).toString("base64url"),
  );
  const codeSecret = ensureFile(join(stateDirectory, codeSecretFile), () => randomBytes(32).toString("hex"));
  return { managementToken, codeSecret: decodeKeyBytes(codeSecret, [32], { raw: false }) };
}

function ensureFile(path: string, make: () => string): string {
  const present = readIfPresent(path);
  if (present !== undefined) return present;
  // Written aside and linked, so that the file appears whole and only once.
  const aside = `${path}.${process.pid}`;
  const made = make();
  writeFileSync(aside, `${made}\n`, { mode: 0o600 });
  try {
    linkSync(aside, path);
    return made;
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
    return readIfPresent(path) ?? made;
  } finally {
    rmSync(aside, { force: true });
  }
}

function readIfPresent(path: string): string | undefined {
  try {
    const content = readFileSync(path, "utf8").trim();
    if (content === "") throw new Error(`${path} is empty: remove it`);
    return content;
  } catch (error) {
    if (isCode(error, "ENOENT")) return undefined;
    throw error;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
