import type { IncomingMessage } from "node:http";
import type { Guard, RequestFacts } from "../guards.ts";
import type { Principal } from "../principal.ts";
import {
  type Authenticate,
  optional,
  optionalUser,
  refusalOf,
  required,
  requiredService,
} from "../protection.ts";
import type { ServiceJwtOptions } from "../service-jwt.ts";
import type { Verifier } from "../verifier.ts";
import { nodeFacts } from "./node.ts";

/** What is used of Fastify's request. */
export interface FastifyRequestLike {
  readonly raw: IncomingMessage;
  readonly params: unknown;
}

/** What is used of Fastify's reply. */
export interface FastifyReplyLike {
  code(status: number): unknown;
  headers(values: Record<string, string>): unknown;
  send(body: string): unknown;
}

/** A hook for `onRequest` or `preHandler`. */
export type FastifyHook = (request: FastifyRequestLike, reply: FastifyReplyLike) => Promise<unknown>;

export interface FastifyAuth {
  required(...guards: readonly Guard[]): FastifyHook;
  optional(...guards: readonly Guard[]): FastifyHook;
  /** Anything but a valid person is nobody. */
  optionalUser(): FastifyHook;
  service(options?: ServiceJwtOptions, ...guards: readonly Guard[]): FastifyHook;
  /** Who sent the request, once one of the above has passed it. */
  principal(request: { readonly raw: IncomingMessage }): Principal | undefined;
}

function paramsOf(params: unknown): RequestFacts["params"] {
  if (typeof params !== "object" || params === null) return {};
  const texts = Object.entries(params).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(texts);
}

export function fastifyAuth(verifier: Verifier): FastifyAuth {
  const principals = new WeakMap<IncomingMessage, Principal>();

  const hook = (authenticate: Authenticate): FastifyHook => {
    return async (request, reply) => {
      try {
        const principal = await authenticate(nodeFacts(request.raw, paramsOf(request.params)));
        if (principal !== undefined) principals.set(request.raw, principal);
        return undefined;
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal === undefined) throw error;
        reply.code(refusal.status);
        reply.headers({ ...refusal.headers });
        // The reply is returned so that Fastify knows the hook has answered.
        return reply.send(refusal.body);
      }
    };
  };

  return {
    required: (...guards) => hook(required(verifier, guards)),
    optional: (...guards) => hook(optional(verifier, guards)),
    optionalUser: () => hook(optionalUser(verifier)),
    service: (options, ...guards) => hook(requiredService(verifier, guards, options)),
    principal: (request) => principals.get(request.raw),
  };
}
