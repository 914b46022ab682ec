import type { DocumentEnvelope, SignedDocument } from "../../contract/dtos/documents.ts";
import type {
  CustomJwtMintOptions,
  DelegatedAccessParams,
  RemoteApplicationAccessParams,
  ServiceJwtClaims,
  ServiceJwtMintOptions,
} from "../../contract/dtos/tokens.ts";
import type { Platform } from "../platform.ts";
import type { KeyRing } from "../signing-keys/types.ts";
import { createJwsSigner } from "./jws.ts";
import { mintCustomJwt } from "./mint-custom-jwt.ts";
import { mintDelegatedAccessToken } from "./mint-delegated.ts";
import type { MintContext } from "./mint-input.ts";
import { mintRemoteApplicationAccessToken } from "./mint-remote-application.ts";
import { mintServiceJwt } from "./mint-service-jwt.ts";
import { type DelegationWish, mintOwnDelegation, type OwnDelegation } from "./own-delegation.ts";
import { signDocument } from "./sign-document.ts";

/** Tokens that back-end services ask for. Each operation documents its refusals in its own file. */
export interface TokenMint {
  serviceJwt(options: ServiceJwtMintOptions): { token: string; claims: ServiceJwtClaims };
  customJwt(options: CustomJwtMintOptions): string;
  delegatedAccessToken(params: DelegatedAccessParams): string;
  remoteApplicationAccessToken(params: RemoteApplicationAccessParams): string;
  signDocument(envelope: DocumentEnvelope): SignedDocument;
  ownDelegation(userId: string, asked: DelegationWish): OwnDelegation;
}

export function createTokenMint(
  { config, clock, random }: Pick<Platform, "config" | "clock" | "random">,
  keyRing: KeyRing,
): TokenMint {
  const context: MintContext = { config, clock, random, signer: createJwsSigner(keyRing) };
  return {
    serviceJwt: (options) => mintServiceJwt(context, options),
    customJwt: (options) => mintCustomJwt(context, options),
    delegatedAccessToken: (params) => mintDelegatedAccessToken(context, params),
    remoteApplicationAccessToken: (params) => mintRemoteApplicationAccessToken(context, params),
    signDocument: (envelope) => signDocument(context, envelope),
    ownDelegation: (userId, asked) => mintOwnDelegation(context, userId, asked),
  };
}
