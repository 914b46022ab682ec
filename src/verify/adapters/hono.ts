import type { Guard } from "../guards.ts";
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

/** What is used of Hono's context. */
export interface HonoContextLike {
  readonly req: {
    readonly raw: Request;
    readonly method: string;
    readonly path: string;
    header(name: string): string | undefined;
    param(): Record<string, string | undefined>;
  };
}

export type HonoMiddleware = (
  context: HonoContextLike,
  next: () => Promise<void>,
) => Promise<Response | undefined>;

export interface HonoAuth {
  required(...guards: readonly Guard[]): HonoMiddleware;
  optional(...guards: readonly Guard[]): HonoMiddleware;
  /** Anything but a valid person is nobody. */
  optionalUser(): HonoMiddleware;
  service(options?: ServiceJwtOptions, ...guards: readonly Guard[]): HonoMiddleware;
  /** Who sent the request, once one of the above has passed it. */
  principal(context: { readonly req: { readonly raw: Request } }): Principal | undefined;
}

export function honoAuth(verifier: Verifier): HonoAuth {
  const principals = new WeakMap<Request, Principal>();

  const middleware = (authenticate: Authenticate): HonoMiddleware => {
    return async ({ req }, next) => {
      try {
        const principal = await authenticate({
          method: req.method,
          path: req.path,
          authorization: req.header("authorization"),
          params: req.param(),
        });
        if (principal !== undefined) principals.set(req.raw, principal);
      } catch (error) {
        const refusal = refusalOf(error);
        if (refusal === undefined) throw error;
        return new Response(refusal.body, { status: refusal.status, headers: refusal.headers });
      }
      await next();
      return undefined;
    };
  };

  return {
    required: (...guards) => middleware(required(verifier, guards)),
    optional: (...guards) => middleware(optional(verifier, guards)),
    optionalUser: () => middleware(optionalUser(verifier)),
    service: (options, ...guards) => middleware(requiredService(verifier, guards, options)),
    principal: ({ req }) => principals.get(req.raw),
  };
}
