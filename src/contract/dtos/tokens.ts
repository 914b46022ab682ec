import {
  dto,
  durationNs,
  everyGeneration,
  field,
  type Infer,
  type InferArgs,
  json,
  list,
  map,
  nullable,
  only,
  string,
  time,
} from "../types.ts";

/** A JWT of the caller's own type and claims. */
export const CustomJwtMintOptions = dto("CustomJWTMintOptions", everyGeneration, {
  claims: field("Claims", map(json)),
  ttl: field("TTL", durationNs),
  type: field("Type", string),
  subject: field("Subject", string),
  audiences: field("Audiences", list(string)),
  issuer: field("Issuer", string),
});
export type CustomJwtMintOptions = Infer<typeof CustomJwtMintOptions>;
export type CustomJwtMintOptionsInput = InferArgs<typeof CustomJwtMintOptions>;

/** A token for a subject of a delegating application. */
export const DelegatedAccessParams = dto("DelegatedAccessParams", everyGeneration, {
  issuer: field("Issuer", string),
  audiences: field("Audiences", list(string)),
  delegatedSubject: field("DelegatedSubject", string),
  permissions: field("Permissions", list(string)),
  documents: only("0.97", field("Documents", map(string))),
  attributes: field("Attributes", map(json)),
  roles: field("Roles", list(string)),
  ttl: field("TTL", durationNs),
  jti: field("JTI", string),
  notBefore: field("NotBefore", time),
});
export type DelegatedAccessParams = Infer<typeof DelegatedAccessParams>;
export type DelegatedAccessParamsInput = InferArgs<typeof DelegatedAccessParams>;

/** A token with which a remote application speaks for itself. */
export const RemoteApplicationAccessParams = dto("RemoteApplicationAccessParams", everyGeneration, {
  issuer: field("Issuer", string),
  audiences: field("Audiences", list(string)),
  ttl: field("TTL", durationNs),
  jti: field("JTI", string),
  notBefore: field("NotBefore", time),
  /** On input null/absent and [] differ: null = no permissions claim (full stored authority), [] = empty claim (narrowed to nothing). */
  permissions: field("Permissions", nullable(list(string))),
});
export type RemoteApplicationAccessParams = Infer<typeof RemoteApplicationAccessParams>;
export type RemoteApplicationAccessParamsInput = InferArgs<typeof RemoteApplicationAccessParams>;

/** A service token to mint. */
export const ServiceJwtMintOptions = dto("ServiceJWTMintOptions", everyGeneration, {
  subject: field("Subject", string),
  audiences: field("Audiences", list(string)),
  permissions: field("Permissions", list(string)),
  lifetime: field("Lifetime", durationNs),
  notBefore: field("NotBefore", time),
  issuedAt: field("IssuedAt", time),
  jti: field("JTI", string),
});
export type ServiceJwtMintOptions = Infer<typeof ServiceJwtMintOptions>;
export type ServiceJwtMintOptionsInput = InferArgs<typeof ServiceJwtMintOptions>;

/** The claims of a service token as issued. */
export const ServiceJwtClaims = dto("ServiceJWTClaims", everyGeneration, {
  issuer: field("Issuer", string),
  subject: field("Subject", string),
  audiences: field("Audiences", list(string)),
  issuedAt: field("IssuedAt", time),
  notBefore: field("NotBefore", time),
  expiresAt: field("ExpiresAt", time),
  jti: field("JTI", string),
  tokenUse: field("TokenUse", string),
  permissions: field("Permissions", list(string)),
  scope: field("Scope", nullable(list(string))),
});
export type ServiceJwtClaims = Infer<typeof ServiceJwtClaims>;
