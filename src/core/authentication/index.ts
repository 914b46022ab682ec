export { apiKeyMarker, parseApiKey } from "./api-key-text.ts";
export type { Authorization } from "./authorization.ts";
export { type Authenticator, type AuthenticatorContext, bearerToken, createAuthenticator } from "./bearer.ts";
export { type CompactToken, parseCompact } from "./compact.ts";
export { freshSeconds, hasSecondFactor, isFresh, stepUpRequired } from "./fresh.ts";
export { covered, covers } from "./permission-cover.ts";
export type { Principal } from "./principal.ts";
export type {
  ApiKeyResolver,
  ApplicationAuthority,
  ApplicationIssuer,
  RemoteApplicationResolver,
} from "./resolvers.ts";
export { hasAllowedAlgorithm, hasValidSignature } from "./signature.ts";
