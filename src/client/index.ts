export { JsonError } from "../contract/codec/index.ts";
export type * from "../contract/dtos/index.ts";
export {
  AuthError,
  type AuthErrorOptions,
  type ErrorCode,
  isAuthError,
} from "../contract/errors/index.ts";
export type { CallOptions, Client, ClientArguments, ClientResult } from "../contract/handlers.ts";
export { JsonNumber, type JsonObject, type JsonValue } from "../contract/json.ts";
export type { MethodKey } from "../contract/methods/index.ts";
export { isZeroTime, PreciseDate, zeroTime } from "../contract/time.ts";
export type { Generation } from "../contract/types.ts";
export { createEmbeddedClient, type EmbeddedCall, type EmbeddedClientOptions } from "./embedded.ts";
export {
  IssuerNotAccepted,
  type IssuerStatement,
  type PublishIssuerOptions,
  publishIssuer,
} from "./publish-issuer.ts";
export { createRemoteClient, type RemoteClientOptions } from "./remote.ts";
