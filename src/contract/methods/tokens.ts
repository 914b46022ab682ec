import {
  CustomJwtMintOptions,
  DelegatedAccessParams,
  RemoteApplicationAccessParams,
  ServiceJwtClaims,
  ServiceJwtMintOptions,
} from "../dtos/tokens.ts";
import { everyGeneration, field, json, map, several, string, time } from "../types.ts";
import { method } from "./method.ts";

/** Methods of the topic Tokens. */
export const tokensMethods = {
  issueAccessToken: method({
    name: "IssueAccessToken",
    topic: "Tokens",
    generations: ["0.73"],
    args: {
      userId: field("userID", string),
      email: field("email", string),
      extra: field("extra", map(json)),
    },
    result: several({ token: string, expiresAt: time }),
    errors: ["invalid_user", "missing_signer", "user_banned", "user_not_found"],
    mutates: { kind: "user", args: ["userId"] },
    note: "r0 token, r1 expiry. email is accepted and ignored.",
  }),
  mintAccessToken: method({
    name: "MintAccessToken",
    topic: "Tokens",
    generations: ["0.97"],
    args: { userId: field("userID", string), extra: field("extra", map(json)) },
    result: several({ token: string, expiresAt: time }),
    errors: ["invalid_user", "missing_signer", "user_banned", "user_not_found"],
    mutates: { kind: "user", args: ["userId"] },
    note: "r0 token, r1 expiry. Replaces IssueAccessToken.",
  }),
  mintCustomJwt: method({
    name: "MintCustomJWT",
    topic: "Tokens",
    generations: everyGeneration,
    args: { opts: field("opts", CustomJwtMintOptions) },
    result: string,
    errors: [
      "custom_jwt_empty_claims",
      "custom_jwt_reserved_claim",
      "custom_jwt_reserved_type",
      "custom_jwt_too_many_claims",
      "custom_jwt_ttl_required",
      "missing_signer",
    ],
    mutates: { kind: "subject", args: ["opts.subject"] },
  }),
  mintDelegatedAccessToken: method({
    name: "MintDelegatedAccessToken",
    topic: "Tokens",
    generations: everyGeneration,
    args: { p: field("p", DelegatedAccessParams) },
    result: string,
    errors: ["invalid_delegated_access", "missing_signer"],
    mutates: { kind: "subject", args: ["p.delegatedSubject"] },
  }),
  mintRemoteApplicationAccessToken: method({
    name: "MintRemoteApplicationAccessToken",
    topic: "Tokens",
    generations: everyGeneration,
    args: { p: field("p", RemoteApplicationAccessParams) },
    result: string,
    errors: ["invalid_remote_application", "missing_signer"],
    mutates: { kind: "remote_application", args: ["p.issuer"] },
  }),
  mintServiceJwt: method({
    name: "MintServiceJWT",
    topic: "Tokens",
    generations: everyGeneration,
    args: { opts: field("opts", ServiceJwtMintOptions) },
    result: several({ token: string, claims: ServiceJwtClaims }),
    errors: ["invalid_service_jwt", "missing_signer"],
    mutates: { kind: "subject", args: ["opts.subject"] },
    note: "r0 token, r1 claims as issued.",
  }),
};
