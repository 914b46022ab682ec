import type { IncomingMessage, ServerResponse } from "node:http";
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
import { nodeFacts, sendRefusal } from "./node.ts";

/** Middleware of Express, Connect and whatever calls `(request, response, next)`. */
export type ExpressMiddleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

export interface ExpressAuth {
  required(...guards: readonly Guard[]): ExpressMiddleware;
  optional(...guards: readonly Guard[]): ExpressMiddleware;
  /** Anything but a valid person is nobody. */
  optionalUser(): ExpressMiddleware;
  service(options?: ServiceJwtOptions, ...guards: readonly Guard[]): ExpressMiddleware;
  /** Who sent the request, once one of the above has passed it. */
  principal(request: IncomingMessage): Principal | undefined;
}

function paramsOf(request: object): RequestFacts["params"] {
  const params: unknown = Reflect.get(request, "params");
  if (typeof params !== "object" || params === null) return {};
  const texts = Object.entries(params).filter(
    (entry): entry is [string, string] => typeof entry[1] === "string",
  );
  return Object.fromEntries(texts);
}

/** The path as the client sent it: routers mounted below another see only their part in `url`. */
function pathOf(request: object, fallback: string): string {
  const url: unknown = Reflect.get(request, "originalUrl");
  return typeof url === "string" ? (url.split("?", 1)[0] ?? fallback) : fallback;
}

export function expressAuth(verifier: Verifier): ExpressAuth {
  const principals = new WeakMap<IncomingMessage, Principal>();

  const middleware = (authenticate: Authenticate): ExpressMiddleware => {
    return (request, response, next) => {
      const facts = nodeFacts(request, paramsOf(request));
      authenticate({ ...facts, path: pathOf(request, facts.path) }).then(
        (principal) => {
          if (principal !== undefined) principals.set(request, principal);
          next();
        },
        (error: unknown) => {
          const refusal = refusalOf(error);
          if (refusal === undefined) next(error);
          else sendRefusal(response, refusal);
        },
      );
    };
  };

  return {
    required: (...guards) => middleware(required(verifier, guards)),
    optional: (...guards) => middleware(optional(verifier, guards)),
    optionalUser: () => middleware(optionalUser(verifier)),
    service: (options, ...guards) => middleware(requiredService(verifier, guards, options)),
    principal: (request) => principals.get(request),
  };
}
