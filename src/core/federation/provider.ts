import type {
  AppleClientSecret,
  EmailFallback,
  ProviderConfig,
  ProviderOptions,
  UserMapping,
} from "../../config/provider-config.ts";
import { type BuiltIn, builtIns } from "./built-ins.ts";

/** A provider ready to be used: what the operator declared over what is built in. */
export interface Provider {
  readonly id: string;
  readonly name: string;
  readonly kind: "oidc" | "oauth2";
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly apple: AppleClientSecret | undefined;
  readonly authMethod: ProviderOptions["tokenEndpointAuthMethod"];
  readonly scopes: readonly string[];
  /** Undefined = as discovery says; always on where nothing is built in, since servers ignore what they do not know. */
  readonly pkce: boolean | undefined;
  readonly authorizationUrl: string | undefined;
  readonly tokenUrl: string | undefined;
  readonly userInfoUrl: string | undefined;
  readonly userInfoAccept: string | undefined;
  /** Undefined = as discovery says. */
  readonly authTime: boolean | undefined;
  readonly extraAuthParams: Readonly<Record<string, string>>;
  /** Answers by a form that the browser posts, instead of a redirect (OAuth 2.0 Form Post Response Mode). */
  readonly formPost: boolean;
  readonly userMapping: UserMapping;
  readonly emailFallback: EmailFallback | undefined;
  readonly redirectUri: string | undefined;
}

const standardMapping: UserMapping = {
  subject: { path: "sub" },
  email: { path: "email" },
  emailVerified: { path: "email_verified" },
  preferredUsername: { path: "preferred_username" },
  displayName: { path: "name" },
};

function scopesOf(kind: Provider["kind"], config: ProviderConfig, builtIn: BuiltIn | undefined) {
  const declared =
    config.scopes ?? builtIn?.scopes ?? (kind === "oidc" ? ["openid", "email", "profile"] : []);
  return kind === "oidc" && !declared.includes("openid") ? ["openid", ...declared] : declared;
}

/** The provider a declaration describes; undefined when it lacks what its kind needs. */
export function resolveProvider(config: ProviderConfig): Provider | undefined {
  const builtIn = [config.type, config.id]
    .filter((name) => Object.hasOwn(builtIns, name))
    .map((name) => builtIns[name])[0];
  const kind = config.kind ?? builtIn?.kind ?? "oidc";
  const issuer = (config.issuer ?? builtIn?.issuer ?? "").trim();
  const { options } = config;
  const extraAuthParams = { ...builtIn?.extraAuthParams, ...config.extraAuthParams };
  const provider: Provider = {
    id: config.id.trim().toLowerCase(),
    name: config.name ?? builtIn?.name ?? config.id,
    kind,
    issuer,
    clientId: config.clientId.trim(),
    clientSecret: config.clientSecret?.trim(),
    apple: options.apple,
    authMethod: options.tokenEndpointAuthMethod,
    scopes: scopesOf(kind, config, builtIn),
    pkce: options.pkce ?? builtIn?.pkce ?? (kind === "oauth2" || builtIn === undefined ? true : undefined),
    authorizationUrl: config.authorizationUrl ?? builtIn?.authorizationUrl,
    tokenUrl: config.tokenUrl ?? builtIn?.tokenUrl,
    userInfoUrl: config.userInfoUrl ?? builtIn?.userInfoUrl,
    userInfoAccept: options.userInfoAccept ?? builtIn?.userInfoAccept,
    // With another issuer it is another server: a test double, or a tenant of its own.
    authTime: config.issuer === undefined ? builtIn?.authTime : undefined,
    extraAuthParams,
    formPost: extraAuthParams["response_mode"] === "form_post",
    userMapping: { ...standardMapping, ...builtIn?.userMapping, ...options.userMapping },
    emailFallback: options.emailFallback ?? builtIn?.emailFallback,
    redirectUri: config.redirectUri,
  };
  const complete =
    provider.id !== "" &&
    issuer !== "" &&
    provider.clientId !== "" &&
    (kind === "oidc" ||
      [provider.authorizationUrl, provider.tokenUrl, provider.userInfoUrl].every((url) => url));
  return complete ? provider : undefined;
}
