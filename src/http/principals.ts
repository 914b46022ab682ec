import { AuthError, type BrowserErrorCode } from "../contract/errors/index.ts";
import type { UserPrincipal } from "../core/authentication/principal.ts";
import type { RouteContext } from "./route.ts";

/**
 * The signed-in user of an account route. A valid token of another principal (API key, application) has no account: it gets the route's own
 * refusal, `unauthorized` on most.
 */
export function requireUser(context: RouteContext, code: BrowserErrorCode = "unauthorized"): UserPrincipal {
  if (context.principal?.kind !== "user") throw new AuthError(code);
  return context.principal;
}
