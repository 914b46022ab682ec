import type { RemoteApplicationAccessParams } from "../../contract/dtos/tokens.ts";
import {
  epochSeconds,
  type MintContext,
  machineLifetime,
  nonBlankTexts,
  notBeforeClaim,
  signClaims,
  tokenId,
} from "./mint-input.ts";
import { tokenType } from "./typ.ts";

/**
 * A token with which a remote application speaks for itself. `permissions` null asks for its whole stored authority; a list narrows it, an
 * empty one to nothing.
 * @throws AuthError `missing_signer`
 */
export function mintRemoteApplicationAccessToken(
  context: MintContext,
  params: RemoteApplicationAccessParams,
): string {
  const { config, clock } = context;
  const now = clock.millis();
  const jti = params.jti.trim() || tokenId(context);
  return signClaims(context, tokenType.remoteApplication, {
    iss: params.issuer.trim() || config.issuer,
    iat: epochSeconds(now),
    exp: epochSeconds(now + machineLifetime(config, params.ttl)),
    ...(params.audiences.length === 0 ? {} : { aud: params.audiences }),
    ...(jti === "" ? {} : { jti }),
    ...notBeforeClaim(params.notBefore),
    ...(params.permissions === null ? {} : { permissions: nonBlankTexts(params.permissions) }),
  });
}
