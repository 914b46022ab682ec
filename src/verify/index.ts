/** Verification of tokens and API keys in resource servers. Needs Node.js; has no dependency beside it. */
export { AuthError, type ErrorCode, isAuthError } from "../contract/errors/index.ts";
export {
  type ExpressAuth,
  type ExpressMiddleware,
  expressAuth,
} from "./adapters/express.ts";
export { type FastifyAuth, type FastifyHook, fastifyAuth } from "./adapters/fastify.ts";
export { type HonoAuth, type HonoMiddleware, honoAuth } from "./adapters/hono.ts";
export { type NodeAuth, type NodeHandler, type NodeListener, nodeAuth } from "./adapters/node.ts";
export type { Members } from "./compact.ts";
export type { AttributeResolver, DelegatedOptions } from "./delegated.ts";
export {
  entitlement,
  type FreshAuthOptions,
  freshAuth,
  type Guard,
  hasRole,
  kinds,
  live,
  permission,
  type RequestFacts,
  userOnly,
} from "./guards.ts";
export type { IssuerOptions } from "./issuers.ts";
export type { Algorithm } from "./keys.ts";
export type { ApiKeyRecord, ApplicationRecord, AuthorityRecord, LivenessRecord, Lookup } from "./lookup.ts";
export { covers } from "./permissions.ts";
export type {
  ApiKeyPrincipal,
  DelegatedPrincipal,
  PermissionScope,
  Principal,
  RemoteApplicationPrincipal,
  ServicePrincipal,
  UserPrincipal,
} from "./principal.ts";
export {
  type Authenticate,
  bearerToken,
  optional,
  optionalUser,
  type Refusal,
  refusalOf,
  required,
  requiredService,
} from "./protection.ts";
export type { ServiceJwtOptions } from "./service-jwt.ts";
export { createVerifier, type Verifier, type VerifierOptions } from "./verifier.ts";
