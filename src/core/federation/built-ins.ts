import type { EmailFallback, UserMapping } from "../../config/provider-config.ts";

/** What the server knows of a provider without being told; every member can be overridden in the configuration. */
export interface BuiltIn {
  readonly kind: "oidc" | "oauth2";
  readonly name: string;
  /** Discovery base and `iss` (OIDC); the namespace of links (OAuth 2.0). */
  readonly issuer: string;
  readonly scopes: readonly string[];
  /** S256; undefined = as discovery says. */
  readonly pkce?: boolean;
  readonly authorizationUrl?: string;
  readonly tokenUrl?: string;
  readonly userInfoUrl?: string;
  readonly userInfoAccept?: string;
  /** Whether ID tokens say when their person signed in; undefined = as discovery says. */
  readonly authTime?: boolean;
  readonly extraAuthParams?: Readonly<Record<string, string>>;
  readonly userMapping?: UserMapping;
  readonly emailFallback?: EmailFallback;
}

const githubJson = "application/vnd.github+json";

/** By slug. */
export const builtIns: Readonly<Record<string, BuiltIn>> = {
  google: {
    kind: "oidc",
    name: "Google",
    issuer: "https://accounts.google.com",
    scopes: ["openid", "email", "profile"],
    pkce: true,
    authTime: false,
  },
  apple: {
    kind: "oidc",
    name: "Apple",
    issuer: "https://appleid.apple.com",
    scopes: ["openid", "email", "name"],
    pkce: false,
    authTime: false,
    extraAuthParams: { response_mode: "form_post" },
  },
  discord: {
    kind: "oauth2",
    name: "Discord",
    issuer: "https://discord.com",
    scopes: ["identify", "email"],
    pkce: true,
    authorizationUrl: "https://discord.com/api/oauth2/authorize",
    tokenUrl: "https://discord.com/api/oauth2/token",
    userInfoUrl: "https://discord.com/api/users/@me",
    userMapping: {
      subject: { path: "id" },
      email: { path: "email" },
      emailVerified: { path: "verified" },
      preferredUsername: { path: "username" },
      displayName: { path: "global_name" },
    },
  },
  github: {
    kind: "oauth2",
    name: "GitHub",
    issuer: "https://github.com/login/oauth",
    scopes: ["read:user", "user:email"],
    pkce: true,
    authorizationUrl: "https://github.com/login/oauth/authorize",
    tokenUrl: "https://github.com/login/oauth/access_token",
    userInfoUrl: "https://api.github.com/user",
    userInfoAccept: githubJson,
    userMapping: {
      subject: { path: "id" },
      email: { path: "email" },
      preferredUsername: { path: "login" },
      displayName: { path: "name" },
    },
    // Nobody has verified the address of the public profile; the list of addresses says which one is.
    emailFallback: {
      always: true,
      url: "https://api.github.com/user/emails",
      accept: githubJson,
      array: true,
      select: { primary: "true", verified: "true" },
      email: { path: "email" },
      emailVerified: { path: "verified" },
    },
  },
};
