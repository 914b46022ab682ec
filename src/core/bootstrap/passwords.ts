import type { BootstrapUserPassword } from "../../contract/dtos/index.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import type { PasswordChanges, Passwords } from "../passwords/index.ts";
import type { CallContext } from "../platform.ts";

export interface PasswordSeedParts {
  readonly passwords: Pick<Passwords, "verify">;
  readonly passwordChanges: Pick<PasswordChanges, "setDeclared" | "importHash">;
}

/** A hash nothing verifies against; the algorithm says why. */
const resetHash = "reset-required";
const resetAlgorithm = "legacy-reset-required";

/**
 * Gives an account its declared password: a new account always, one that was there only when the manifest enforces it. False when the
 * password was kept. Throws `unsupported_hash_algo`, `invalid_hash_params`, `server_busy`.
 */
export async function seedPassword(
  { passwords, passwordChanges }: PasswordSeedParts,
  user: { readonly id: string; readonly created: boolean },
  password: BootstrapUserPassword,
  context: CallContext,
  tx: Transaction,
): Promise<boolean> {
  if (!user.created && !password.enforce) return false;
  if (password.plaintext !== "") {
    const plaintext = password.plaintext.trim();
    // What is stored of an account that was there is committed, so it may be read outside the transaction.
    if (!user.created && (await passwords.verify(user.id, plaintext, context)) === "match") return false;
    await passwordChanges.setDeclared(user.id, plaintext, context, tx);
  } else if (password.resetRequired) {
    await passwordChanges.importHash(user.id, resetHash, resetAlgorithm, null, context, tx);
  } else {
    const params = Object.keys(password.hashParams).length === 0 ? null : JSON.stringify(password.hashParams);
    const bytes = params === null ? null : Buffer.from(params);
    await passwordChanges.importHash(
      user.id,
      password.hash.trim(),
      password.hashAlgo.trim(),
      bytes,
      context,
      tx,
    );
  }
  return true;
}
