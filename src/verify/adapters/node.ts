import type { IncomingMessage, ServerResponse } from "node:http";
import type { Guard, RequestFacts } from "../guards.ts";
import type { Principal } from "../principal.ts";
import {
  type Authenticate,
  optional,
  optionalUser,
  type Refusal,
  refusalOf,
  required,
  requiredService,
} from "../protection.ts";
import type { ServiceJwtOptions } from "../service-jwt.ts";
import type { Verifier } from "../verifier.ts";

/** A request listener that is told who sent the request. */
export type NodeHandler<P> = (
  request: IncomingMessage,
  response: ServerResponse,
  principal: P,
) => Promise<void> | void;
export type NodeListener = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** Request listeners of `node:http` behind a verifier. */
export interface NodeAuth {
  required(handler: NodeHandler<Principal>, ...guards: readonly Guard[]): NodeListener;
  optional(handler: NodeHandler<Principal | undefined>, ...guards: readonly Guard[]): NodeListener;
  /** Anything but a valid person is nobody. */
  optionalUser(handler: NodeHandler<Principal | undefined>): NodeListener;
  service(
    handler: NodeHandler<Principal>,
    options?: ServiceJwtOptions,
    ...guards: readonly Guard[]
  ): NodeListener;
}

/** What guards need of a request of `node:http`. */
export function nodeFacts(request: IncomingMessage, params: RequestFacts["params"] = {}): RequestFacts {
  return {
    method: request.method ?? "GET",
    path: (request.url ?? "/").split("?", 1)[0] ?? "/",
    authorization: request.headers.authorization,
    params,
  };
}

/** Sends a refusal. */
export function sendRefusal(response: ServerResponse, { status, headers, body }: Refusal): void {
  response.writeHead(status, headers).end(body);
}

function listener<P>(
  authenticate: Authenticate,
  admit: (principal: Principal | undefined) => principal is (Principal | undefined) & P,
  handler: NodeHandler<P>,
): NodeListener {
  return async (request, response) => {
    let principal: Principal | undefined;
    try {
      principal = await authenticate(nodeFacts(request));
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === undefined) throw error;
      sendRefusal(response, refusal);
      return;
    }
    if (admit(principal)) await handler(request, response, principal);
  };
}

const somebody = (principal: Principal | undefined): principal is Principal => principal !== undefined;
const anybody = (principal: Principal | undefined): principal is Principal | undefined =>
  principal === undefined || somebody(principal);

export function nodeAuth(verifier: Verifier): NodeAuth {
  return {
    required: (handler, ...guards) => listener(required(verifier, guards), somebody, handler),
    optional: (handler, ...guards) => listener(optional(verifier, guards), anybody, handler),
    optionalUser: (handler) => listener(optionalUser(verifier), anybody, handler),
    service: (handler, options, ...guards) =>
      listener(requiredService(verifier, guards, options), somebody, handler),
  };
}
