import { AuthError } from "../contract/errors/index.ts";
import { covered } from "./permissions.ts";
import type { PermissionScope, Principal, UserPrincipal } from "./principal.ts";
import type { Verifier } from "./verifier.ts";

/** A request as guards see it, whatever the framework. */
export interface RequestFacts {
  readonly method: string;
  /** Without query. */
  readonly path: string;
  readonly authorization: string | undefined;
  /** Path parameters, where the framework has matched any. */
  readonly params: Readonly<Record<string, string | undefined>>;
}

/** A condition on whoever sent a request; throws `AuthError`. A principal it returns takes the place of the one it was given. */
export type Guard = (
  principal: Principal,
  request: RequestFacts,
  verifier: Verifier,
) => Promise<Principal> | Promise<void> | Principal | void;

const levels: Readonly<Record<string, number>> = { "urn:authkit:loa:1": 1, "urn:authkit:loa:2": 2 };
const defaultMaxAge = 900;

/** People only. Throws `invalid_principal`. */
export const userOnly: Guard = (principal) => {
  if (principal.kind !== "user") throw new AuthError("invalid_principal");
};

/** Principals of these kinds only. Throws `invalid_principal`. */
export function kinds(...admitted: readonly Principal["kind"][]): Guard {
  return (principal) => {
    if (!admitted.includes(principal.kind)) throw new AuthError("invalid_principal");
  };
}

function sameScope(a: PermissionScope, b: PermissionScope | undefined): boolean {
  return a.persona === b?.persona && a.instance === b.instance;
}

/**
 * A permission, in the group `scope` names. Machines and delegated subjects bring their permissions along, good in the group they are bound to;
 * people are asked for at the authentication server (`lookup.can`). What an application's service asks for nobody has granted: intersect that with
 * grants of your own. Throws `forbidden`, also when the server cannot be asked.
 */
export function permission(
  name: string,
  scope?: PermissionScope | ((request: RequestFacts) => PermissionScope),
): Guard {
  return async (principal, request, { lookup }) => {
    const wanted = typeof scope === "function" ? scope(request) : scope;
    if (principal.kind !== "user") {
      const bound = principal.scope;
      const vouched = principal.kind !== "service" || principal.remoteApplicationId === undefined;
      const inScope = bound === undefined || sameScope(bound, wanted);
      if (vouched && inScope && covered(principal.permissions, name)) return;
      throw new AuthError("forbidden");
    }
    const { persona = "", instance: instanceSlug = "" } = wanted ?? {};
    const asked = { subjectId: principal.userId, subjectKind: "user", persona, instanceSlug, perm: name };
    const allowed = await lookup.can?.(asked).catch((cause: unknown) => {
      throw new AuthError("forbidden", { cause });
    });
    if (allowed !== true) throw new AuthError("forbidden");
  };
}

/** One of these entitlements, in any letter case. Machines and delegated subjects have none. Throws `forbidden`. */
export function entitlement(...names: readonly string[]): Guard {
  const wanted = new Set(names.map((name) => name.toLowerCase()));
  return (principal) => {
    const held = principal.kind === "user" ? principal.entitlements : [];
    if (!held.some((name) => wanted.has(name.toLowerCase()))) throw new AuthError("forbidden");
  };
}

/** Whether a principal has a role, in any letter case. */
export function hasRole(principal: Principal, role: string): boolean {
  const roles = principal.kind === "user" || principal.kind === "delegated" ? principal.roles : [];
  return roles.some((name) => name.toLowerCase() === role.toLowerCase());
}

export interface FreshAuthOptions {
  /** Seconds since the person proved who they are; default 900. */
  readonly maxAge?: number | undefined;
  /** Methods that must all have been used. */
  readonly amr?: readonly string[] | undefined;
  /** Least level of assurance, e.g. `urn:authkit:loa:2`. */
  readonly acr?: string | undefined;
  /** Told to the client in the refusal; default `password` and `2fa`. */
  readonly stepUpMethods?: readonly string[] | undefined;
}

function reaches(acr: string | undefined, required: string): boolean {
  if (acr === required) return true;
  return (levels[acr ?? ""] ?? 0) >= (levels[required] ?? Number.POSITIVE_INFINITY);
}

function isFresh(user: UserPrincipal, now: number, skew: number, options: FreshAuthOptions): boolean {
  const { amr, authTime } = user;
  if (options.amr?.some((method) => !amr.includes(method)) === true) return false;
  if (options.acr !== undefined && !reaches(user.acr, options.acr)) return false;
  if (user.mfaEnrolled && !amr.includes("otp") && !amr.includes("mfa")) return false;
  if (authTime === undefined) return false;
  const age = now - authTime;
  return age >= -skew && age <= (options.maxAge ?? defaultMaxAge);
}

/**
 * A person who authenticated lately, with a second factor when one is enrolled. Throws `step_up_required`, whose metadata say what would help:
 * the client steps up at the authentication server and repeats the request with the new token.
 */
export function freshAuth(options: FreshAuthOptions = {}): Guard {
  return (principal, _request, { now, skew }) => {
    const user = principal.kind === "user" ? principal : undefined;
    if (user !== undefined && isFresh(user, now(), skew, options)) return;
    const { amr = [], acr, maxAge = defaultMaxAge, stepUpMethods = ["password", "2fa"] } = options;
    throw new AuthError("step_up_required", {
      metadata: {
        max_age_seconds: maxAge,
        ...(user?.mfaEnrolled === true ? { mfa_required: true } : {}),
        step_up_methods: stepUpMethods,
        ...(amr.length === 0 ? {} : { required_amr: amr }),
        ...(acr === undefined ? {} : { required_acr: acr }),
      },
    });
  };
}

/**
 * Asks the authentication server at every request whether the account may be used still, and takes over its name and address as they are now;
 * principals that are no people pass. A verifier without `lookup.userLivenessByIds` refuses it at set-up. Throws `account_disabled`,
 * `liveness_unavailable`.
 */
export const live: Guard = async (principal, _request, { lookup }) => {
  if (principal.kind !== "user") return principal;
  const found = await lookup.userLivenessByIds?.({ ids: [principal.userId] }).catch((cause: unknown) => {
    throw new AuthError("liveness_unavailable", { cause });
  });
  if (found === undefined) throw new AuthError("liveness_unavailable");
  const account = Object.hasOwn(found, principal.userId) ? found[principal.userId] : undefined;
  if (account?.allowed !== true) throw new AuthError("account_disabled");
  const { username, email, emailVerified } = account;
  return {
    ...principal,
    username: username || undefined,
    email: email || undefined,
    emailVerified: emailVerified ?? false,
  };
};

/** Throws TypeError for guards this verifier can never let anybody through. */
export function assertMountable(guards: readonly Guard[], { lookup }: Verifier): void {
  if (guards.includes(live) && lookup.userLivenessByIds === undefined)
    throw new TypeError("the guard `live` needs lookup.userLivenessByIds");
}
