import { AuthError } from "../../contract/errors/index.ts";
import { tokenType } from "../tokens/typ.ts";
import type { JsonMembers } from "./compact.ts";
import { textsOf } from "./registered-claims.ts";

/** `first-party`: ourselves; `remote-application`: an application whose keys are stored here. */
export type IssuerClass = "first-party" | "remote-application";

/** What a bearer token can turn out to be. */
export type TokenClass = "user" | "delegated" | "remote_application";

/** Types only first-party issuers may sign: otherwise an application's key could speak for any user. */
const firstPartyOnly: ReadonlySet<string> = new Set([tokenType.access, tokenType.service]);

function isNonEmptyText(value: unknown): boolean {
  return typeof value === "string" && value !== "";
}

/**
 * Decides what a verified token is, from its `typ` and the claims its class demands or forbids, so that no token can pass for one of another
 * class (RFC 8725 §3.11). The order of checks is part of the contract.
 * @throws AuthError `bad_issuer` when the issuer may not sign this type; `conflicting_subject`, `remote_application_access_has_subject`,
 *   `access_token_has_sub`, `delegated_access_wrong_typ`, `access_token_wrong_typ`, `missing_token_typ`, `unsupported_token_typ`,
 *   `missing_delegated_sub`, `missing_sub`, `delegated_access_has_user_tier`, `delegated_access_has_roles`
 */
export function classify(header: JsonMembers, claims: JsonMembers, issuer: IssuerClass): TokenClass {
  const typ = typeof header["typ"] === "string" ? header["typ"].trim().toLowerCase() : "";
  if (issuer === "remote-application" && firstPartyOnly.has(typ)) throw new AuthError("bad_issuer");
  const hasSub = isNonEmptyText(claims["sub"]);
  const hasDelegatedSub = isNonEmptyText(claims["delegated_sub"]);
  if (hasSub && hasDelegatedSub) throw new AuthError("conflicting_subject");
  if (typ === tokenType.remoteApplication) {
    if (hasSub || hasDelegatedSub) throw new AuthError("remote_application_access_has_subject");
    return "remote_application";
  }
  if (typ === tokenType.delegated && hasSub) throw new AuthError("access_token_has_sub");
  if (hasDelegatedSub && typ !== tokenType.delegated) throw new AuthError("delegated_access_wrong_typ");
  if (hasSub && typ !== tokenType.access) throw new AuthError("access_token_wrong_typ");
  if (typ === "") throw new AuthError("missing_token_typ");
  if (typ !== tokenType.access && typ !== tokenType.delegated) throw new AuthError("unsupported_token_typ");
  if (typ === tokenType.access) {
    if (!hasSub) throw new AuthError("missing_sub");
    return "user";
  }
  if (!hasDelegatedSub) throw new AuthError("missing_delegated_sub");
  if (typeof claims["user_tier"] === "string") throw new AuthError("delegated_access_has_user_tier");
  if (textsOf(claims["roles"]).length > 0) throw new AuthError("delegated_access_has_roles");
  return "delegated";
}
