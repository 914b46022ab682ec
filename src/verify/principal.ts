import { seconds, text, texts } from "./claims.ts";
import type { Members } from "./compact.ts";

/** A signed-in person. */
export interface UserPrincipal {
  readonly kind: "user";
  readonly issuer: string;
  /** `sub`, as it is in the token. */
  readonly subject: string;
  readonly userId: string;
  readonly sessionId: string | undefined;
  /** Seconds since the epoch. */
  readonly authTime: number | undefined;
  readonly amr: readonly string[];
  readonly acr: string | undefined;
  readonly mfaEnrolled: boolean;
  /** A token good for enrolling a second factor at the authentication server, and for nothing else. */
  readonly enrollment: boolean;
  readonly entitlements: readonly string[];
  readonly roles: readonly string[];
  readonly email: string | undefined;
  readonly emailVerified: boolean | undefined;
  readonly username: string | undefined;
  readonly tier: string | undefined;
  readonly claims: Members;
}

/** A subject of an application, vouched for by that application. */
export interface DelegatedPrincipal {
  readonly kind: "delegated";
  readonly issuer: string;
  readonly subject: string;
  readonly permissions: readonly string[];
  readonly attributes: Members;
  readonly roles: readonly string[];
  readonly tier: string | undefined;
  readonly jti: string | undefined;
  readonly documents: Readonly<Record<string, string>>;
  readonly remoteApplicationId: string | undefined;
  readonly remoteApplicationSlug: string | undefined;
  /** Group its permissions are good in; undefined = not bound. */
  readonly scope: PermissionScope | undefined;
  readonly claims: Members;
}

/** An application acting for itself. */
export interface RemoteApplicationPrincipal {
  readonly kind: "remote_application";
  readonly issuer: string;
  readonly subject: string;
  readonly permissions: readonly string[];
  readonly remoteApplicationId: string;
  readonly remoteApplicationSlug: string;
  readonly scope: PermissionScope | undefined;
  readonly claims: Members;
}

/** A back-end service; its permissions are a request, which the host limits to what it grants. */
export interface ServicePrincipal {
  readonly kind: "service";
  readonly issuer: string;
  readonly subject: string;
  readonly jti: string;
  readonly audiences: readonly string[];
  readonly permissions: readonly string[];
  readonly scope: PermissionScope | undefined;
  /** The application that signed for the service; undefined when a first-party issuer did. */
  readonly remoteApplicationId: string | undefined;
  readonly claims: Members;
}

/** Holder of an API key. */
export interface ApiKeyPrincipal {
  readonly kind: "api_key";
  readonly issuer: undefined;
  readonly subject: undefined;
  readonly keyId: string;
  readonly role: string;
  readonly permissions: readonly string[];
  readonly scope: PermissionScope | undefined;
}

export type Principal =
  | UserPrincipal
  | DelegatedPrincipal
  | RemoteApplicationPrincipal
  | ServicePrincipal
  | ApiKeyPrincipal;

/** A group: `instance` is `""` for personas that have one group only. */
export interface PermissionScope {
  readonly persona: string;
  readonly instance: string;
}

const maxRoles = 64;
const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A claim that is an object. */
export function objectOf(value: unknown): Members {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** The claims of a verified user token, as fields. */
export function userPrincipal(issuer: string, claims: Members): UserPrincipal {
  const subject = text(claims["sub"]) ?? "";
  const verified = claims["email_verified"];
  return {
    kind: "user",
    issuer,
    subject,
    userId: subject.toLowerCase(),
    sessionId: text(claims["sid"]),
    authTime: seconds(claims["auth_time"]),
    amr: texts(claims["amr"]),
    acr: text(claims["acr"]),
    mfaEnrolled: claims["mfa_enrolled"] === true,
    enrollment: claims["2fa_enrollment"] === true,
    entitlements: texts(claims["entitlements"]),
    roles: texts(claims["roles"]),
    email: text(claims["email"]),
    emailVerified: typeof verified === "boolean" ? verified : undefined,
    username: text(claims["username"]),
    tier: text(claims["user_tier"]) ?? text(claims["plan"]),
    claims,
  };
}

/** The claims of a verified delegated token, as fields; it has no permission it does not name. */
export function delegatedPrincipal(
  issuer: string,
  claims: Members,
  rest: Pick<
    DelegatedPrincipal,
    "permissions" | "documents" | "remoteApplicationId" | "remoteApplicationSlug" | "scope"
  >,
): DelegatedPrincipal {
  const attributes = objectOf(claims["attributes"]);
  return {
    kind: "delegated",
    issuer,
    subject: text(claims["delegated_sub"]) ?? "",
    attributes,
    roles: texts(attributes["roles"])
      .filter((role) => uuid.test(role))
      .slice(0, maxRoles),
    tier: text(attributes["tier"])?.trim(),
    jti: text(claims["jti"]),
    claims,
    ...rest,
  };
}
