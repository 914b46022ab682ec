import { errorEnvelope } from "../contract/errors/envelope.ts";
import { AuthError, browserError, isAuthError } from "../contract/errors/index.ts";
import { assertMountable, type Guard, type RequestFacts } from "./guards.ts";
import type { Principal } from "./principal.ts";
import type { ServiceJwtOptions } from "./service-jwt.ts";
import type { Verifier } from "./verifier.ts";

/** The token of an `Authorization: Bearer` header, scheme in any case; undefined for another scheme or no token. */
export function bearerToken(header: string | undefined): string | undefined {
  const space = header?.indexOf(" ") ?? -1;
  if (header === undefined || header.slice(0, Math.max(space, 0)).toLowerCase() !== "bearer")
    return undefined;
  const token = header.slice(space + 1).trim();
  return token === "" ? undefined : token;
}

/** Whoever sent the request, or `undefined` for nobody where that is allowed. Rejects with `AuthError`. */
export type Authenticate = (request: RequestFacts) => Promise<Principal | undefined>;

async function admitted(verifier: Verifier, token: string | undefined): Promise<Principal> {
  if (token === undefined) throw new AuthError("missing_token");
  const principal = await verifier.verify(token);
  if (principal.kind !== "user") return principal;
  // Good for enrolling a second factor at the authentication server, and nowhere else.
  if (principal.enrollment) throw new AuthError("forbidden");
  if (verifier.requireMfaEnrollment && !principal.mfaEnrolled) throw new AuthError("2fa_enrollment_required");
  return principal;
}

async function guarded(
  verifier: Verifier,
  principal: Principal,
  request: RequestFacts,
  guards: readonly Guard[],
): Promise<Principal> {
  let current = principal;
  for (const guard of guards) current = (await guard(current, request, verifier)) ?? current;
  return current;
}

/** A valid bearer, and every guard. Throws `missing_token`, the verifier's codes, and the guards'. */
export function required(verifier: Verifier, guards: readonly Guard[]): Authenticate {
  assertMountable(guards, verifier);
  return async (request) =>
    guarded(verifier, await admitted(verifier, bearerToken(request.authorization)), request, guards);
}

/** Nobody, or a valid bearer that passes every guard: one that is sent and not valid is refused. */
export function optional(verifier: Verifier, guards: readonly Guard[]): Authenticate {
  const authenticate = required(verifier, guards);
  return async (request) =>
    bearerToken(request.authorization) === undefined ? undefined : authenticate(request);
}

/** A valid person, or nobody: never a refusal. */
export function optionalUser(verifier: Verifier): Authenticate {
  const authenticate = optional(verifier, []);
  return async (request) => {
    try {
      const principal = await authenticate(request);
      return principal?.kind === "user" ? principal : undefined;
    } catch (error) {
      if (isAuthError(error)) return undefined;
      throw error;
    }
  };
}

/** A valid service token. */
export function requiredService(
  verifier: Verifier,
  guards: readonly Guard[],
  options: ServiceJwtOptions = {},
): Authenticate {
  assertMountable(guards, verifier);
  return async (request) => {
    const token = bearerToken(request.authorization);
    if (token === undefined) throw new AuthError("missing_token");
    return guarded(verifier, await verifier.verifyServiceJwt(token, options), request, guards);
  };
}

/** A refusal as it is sent. */
export interface Refusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The reply to an `AuthError`; undefined for anything else, which is a failure of the application's own. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!isAuthError(error)) return undefined;
  const entry = browserError(error.code) ?? { status: 401 };
  const status = error.status ?? entry.status;
  return {
    status,
    headers: {
      "content-type": "application/json",
      "cache-control": "no-store",
      ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
    },
    body: errorEnvelope(error.code, status, entry, error.metadata),
  };
}
