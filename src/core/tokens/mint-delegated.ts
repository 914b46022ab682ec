import type { DelegatedAccessParams } from "../../contract/dtos/tokens.ts";
import { AuthError } from "../../contract/errors/index.ts";
import { documentReferences } from "./document-references.ts";
import {
  assertSigner,
  epochSeconds,
  type MintContext,
  machineLifetime,
  nonBlankTexts,
  notBeforeClaim,
  signClaims,
} from "./mint-input.ts";
import { tokenType } from "./typ.ts";

/**
 * A token for a subject of a delegating application: `delegated_sub`, never `sub`. Lives 15 minutes unless asked otherwise, one day at most
 * unless configuration lifts that.
 * @throws AuthError `missing_signer`, `invalid_delegated_access` without a subject, `reserved_document_attribute`, and those of
 *   `documentReferences`
 */
export function mintDelegatedAccessToken(context: MintContext, params: DelegatedAccessParams): string {
  const { config, clock, random } = context;
  assertSigner(context);
  const subject = params.delegatedSubject.trim();
  if (subject === "") throw new AuthError("invalid_delegated_access");
  const documents = documentReferences(params.documents);
  if (Object.hasOwn(params.attributes, "documents")) throw new AuthError("reserved_document_attribute");
  const roles = nonBlankTexts(params.roles);
  const attributes = roles.length === 0 ? params.attributes : { ...params.attributes, roles };
  const permissions = nonBlankTexts(params.permissions);
  const now = clock.millis();
  return signClaims(context, tokenType.delegated, {
    iss: params.issuer.trim() || config.issuer,
    iat: epochSeconds(now),
    exp: epochSeconds(now + machineLifetime(config, params.ttl)),
    delegated_sub: subject,
    ...(params.audiences.length === 0 ? {} : { aud: params.audiences }),
    ...(permissions.length === 0 ? {} : { permissions }),
    ...(Object.keys(attributes).length === 0 ? {} : { attributes }),
    jti: params.jti.trim() || random.uuid(),
    ...notBeforeClaim(params.notBefore),
    ...(documents === undefined ? {} : { documents }),
  });
}
