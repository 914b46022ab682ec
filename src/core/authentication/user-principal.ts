import type { JsonMembers } from "./compact.ts";
import type { UserPrincipal } from "./principal.ts";
import { textOf, textsOf } from "./registered-claims.ts";

/** The claims of a verified user access token the server itself reads. */
export function userPrincipal(claims: JsonMembers): UserPrincipal {
  const authTime = claims["auth_time"];
  return {
    kind: "user",
    userId: (textOf(claims["sub"]) ?? "").toLowerCase(),
    sessionId: textOf(claims["sid"]),
    authTime: typeof authTime === "number" && Number.isFinite(authTime) ? Math.trunc(authTime) : undefined,
    amr: textsOf(claims["amr"]),
    acr: textOf(claims["acr"]),
    mfaEnrolled: claims["mfa_enrolled"] === true,
    enrollment: claims["2fa_enrollment"] === true,
    entitlements: Array.isArray(claims["entitlements"]) ? textsOf(claims["entitlements"]) : null,
    claims,
  };
}
