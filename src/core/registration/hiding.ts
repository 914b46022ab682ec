import type { Platform } from "../platform.ts";

/** Whether answers must not tell if an address has an account, or a registration that waits: asked for, or part of the strict statuses. */
export function hidesExisting({ registration, strictStatus }: Platform["config"]): boolean {
  return registration.hideExisting || strictStatus;
}
