import { isAuthError } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/types.ts";
import type { CallContext } from "../platform.ts";
import type { SessionOrigin } from "../sessions/types.ts";

/** Refusals that say nothing about who signs in. */
const aboutUs: ReadonlySet<string> = new Set(["service_unavailable", "rate_limited", "server_busy"]);

/** Puts a sign-in that came to nothing into the history; `userId` is blank while it is not known whose it is. */
export async function recordRefusedLogin(
  audit: Pick<Audit, "session">,
  login: { readonly userId: string; readonly method: SessionOrigin },
  error: unknown,
  context: CallContext,
): Promise<void> {
  if (!isAuthError(error) || aboutUs.has(error.code)) return;
  await audit.session({ event: "session_failed", sessionId: "", ...login, reason: error.code }, context);
}
