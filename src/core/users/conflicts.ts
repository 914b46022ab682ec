import { AuthError } from "../../contract/errors/index.ts";
import { ConstraintViolation } from "../../platform/postgres/port.ts";

/** Turns a violated uniqueness of `users` into its code; anything else passes unchanged. */
export function asConflict(error: unknown): unknown {
  if (!(error instanceof ConstraintViolation) || error.kind !== "unique") return error;
  if (error.constraint.includes("username")) return new AuthError("owner_slug_taken", { cause: error });
  if (error.constraint.includes("email")) return new AuthError("email_in_use", { cause: error });
  if (error.constraint.includes("phone")) return new AuthError("phone_in_use", { cause: error });
  return error;
}

/** Runs work that writes names or contacts. Throws `email_in_use`, `phone_in_use`, `owner_slug_taken` for taken ones. */
export async function mappingConflicts<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw asConflict(error);
  }
}
