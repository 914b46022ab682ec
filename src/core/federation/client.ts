import type { ClientAuth, Configuration, CustomFetch } from "openid-client";
import { AuthError } from "../../contract/errors/index.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log/port.ts";
import { createAppleSecrets } from "./apple.ts";
import { type ExternalIdentity, mapFallbackEmail, mapIdentity } from "./mapping.ts";
import type { Provider } from "./provider.ts";

/** Milliseconds discovery and keys of a provider are used before they are asked for again. */
const discoveryLifetime = 3_600_000;

/** What a flow keeps between leaving for the provider and coming back. */
export interface FlowSecrets {
  readonly state: string;
  readonly nonce: string;
  /** PKCE verifier; blank when the provider has no PKCE. */
  readonly verifier: string;
}

export interface AuthorizationOptions {
  readonly redirectUri: string;
  /** Asks for a fresh authentication at the provider. */
  readonly stepUp: boolean;
}

/** The protocol with one provider, by openid-client. */
export interface ProviderClient {
  /** Whether this provider's flows use PKCE. Throws `oidc_begin_failed`. */
  usesPkce(): Promise<boolean>;
  /** Throws `oidc_begin_failed`. */
  authorizationUrl(secrets: FlowSecrets, options: AuthorizationOptions): Promise<string>;
  /**
   * Exchanges the code of the answer and tells who it is. Throws `oidc_exchange_failed`; for plain OAuth 2.0 `exchange_failed` and
   * `userinfo_failed`.
   */
  identity(answer: URL, secrets: FlowSecrets): Promise<ExternalIdentity>;
}

export interface ClientContext {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly log: Log;
}

function isVerified(value: unknown): boolean {
  return value === true || value === "true";
}

function string(value: unknown): string {
  return typeof value === "string" ? value.trim() : "";
}

export function createProviderClient(provider: Provider, context: ClientContext): ProviderClient {
  const { fetch, clock, log } = context;
  const guarded: CustomFetch = (url, { method, headers, body, signal }) =>
    fetch(url, {
      ...{ method, headers },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  const appleSecret =
    provider.apple === undefined ? undefined : createAppleSecrets(provider.apple, provider.clientId);
  let current: { readonly made: Promise<Configuration>; readonly at: number } | undefined;

  // Loaded with the first sign-in: most workers of most deployments never need it.
  const library = () => import("openid-client");

  async function authentication(): Promise<ClientAuth> {
    const oidc = await library();
    if (appleSecret !== undefined) {
      return (_server, client, body) => {
        body.set("client_id", client.client_id);
        body.set("client_secret", appleSecret(clock.epochSeconds()));
      };
    }
    const secret = provider.clientSecret;
    if (provider.authMethod === "none" || secret === undefined || secret === "") return oidc.None();
    if (provider.authMethod === "client_secret_basic") return oidc.ClientSecretBasic(secret);
    if (provider.authMethod === "client_secret_post" || provider.kind === "oauth2")
      return oidc.ClientSecretPost(secret);
    // As the provider's own metadata say (OpenID Connect Discovery §3: Basic unless stated).
    const [basic, post] = [oidc.ClientSecretBasic(secret), oidc.ClientSecretPost(secret)];
    return (server, client, body, headers) => {
      const supported = server.token_endpoint_auth_methods_supported ?? ["client_secret_basic"];
      const chosen = supported.includes("client_secret_basic") ? basic : post;
      chosen(server, client, body, headers);
    };
  }

  async function make(): Promise<Configuration> {
    const oidc = await library();
    const auth = await authentication();
    if (provider.kind === "oauth2") {
      const { issuer, authorizationUrl, tokenUrl, clientId } = provider;
      if (authorizationUrl === undefined || tokenUrl === undefined) throw new Error("endpoints are missing");
      const server = { issuer, authorization_endpoint: authorizationUrl, token_endpoint: tokenUrl };
      const configuration = new oidc.Configuration(server, clientId, undefined, auth);
      configuration[oidc.customFetch] = guarded;
      if (tokenUrl.startsWith("http:")) oidc.allowInsecureRequests(configuration);
      return configuration;
    }
    const issuer = new URL(provider.issuer);
    // Plain http passes validation of the configuration in development only.
    const insecure = issuer.protocol === "http:" ? [oidc.allowInsecureRequests] : [];
    return oidc.discovery(issuer, provider.clientId, undefined, auth, {
      [oidc.customFetch]: guarded,
      // A signature is checked even though the token came over TLS from the issuer itself.
      execute: [...insecure, oidc.enableNonRepudiationChecks],
    });
  }

  /** One discovery at a time; a failed one is forgotten at once. */
  function configuration(): Promise<Configuration> {
    const now = clock.millis();
    if (current === undefined || now - current.at > discoveryLifetime) {
      const made = make();
      const entry = { made, at: now };
      current = entry;
      made.catch(() => {
        if (current === entry) current = undefined;
      });
    }
    return current.made;
  }

  async function begun(): Promise<Configuration> {
    try {
      return await configuration();
    } catch (cause) {
      log.warn({ err: cause, provider: provider.id }, "the identity provider could not be discovered");
      throw new AuthError("oidc_begin_failed", { cause });
    }
  }

  async function usesPkce(): Promise<boolean> {
    return provider.pkce ?? (await begun()).serverMetadata().supportsPKCE();
  }

  async function exchange(answer: URL, secrets: FlowSecrets) {
    const oidc = await library();
    return oidc.authorizationCodeGrant(await configuration(), answer, {
      expectedState: secrets.state,
      ...(secrets.verifier === "" ? {} : { pkceCodeVerifier: secrets.verifier }),
      ...(provider.kind === "oidc" ? { expectedNonce: secrets.nonce, idTokenExpected: true } : {}),
    });
  }

  async function read(
    url: string,
    token: string,
    type: string,
    accept: string | undefined,
  ): Promise<unknown> {
    const headers = { authorization: `${type} ${token}`, ...(accept === undefined ? {} : { accept }) };
    const response = await fetch(url, { headers });
    if (response.status !== 200) throw new Error(`${new URL(url).hostname} answered ${response.status}`);
    return response.json();
  }

  async function openIdIdentity(answer: URL, secrets: FlowSecrets): Promise<ExternalIdentity> {
    const claims = (await exchange(answer, secrets)).claims();
    if (claims === undefined || claims.sub === "") throw new Error("the answer names nobody");
    const email = string(claims["email"]);
    const authTime = claims["auth_time"];
    return {
      subject: claims.sub,
      email,
      emailVerified: email !== "" && isVerified(claims["email_verified"]),
      preferredUsername: string(claims["preferred_username"]),
      displayName: string(claims["name"]),
      authTime: typeof authTime === "number" && authTime > 0 ? authTime : undefined,
    };
  }

  async function fallbackEmail(
    identity: ExternalIdentity,
    token: string,
    type: string,
  ): Promise<ExternalIdentity> {
    const fallback = provider.emailFallback;
    if (fallback === undefined || identity.email !== "") return identity;
    try {
      const found = mapFallbackEmail(await read(fallback.url, token, type, fallback.accept), fallback);
      return found === undefined ? identity : { ...identity, ...found };
    } catch (err) {
      log.warn(
        { err, provider: provider.id },
        "the provider's second answer about e-mail addresses is missing",
      );
      return identity;
    }
  }

  async function oauthIdentity(answer: URL, secrets: FlowSecrets): Promise<ExternalIdentity> {
    let granted: Awaited<ReturnType<typeof exchange>>;
    try {
      granted = await exchange(answer, secrets);
    } catch (cause) {
      throw refused("exchange_failed", cause);
    }
    const { access_token: token, token_type: type } = granted;
    // Some providers demand the scheme as they wrote it, others as the standard does; both accept the latter.
    const scheme = type.toLowerCase() === "bearer" ? "Bearer" : type;
    try {
      const document = await read(provider.userInfoUrl ?? "", token, scheme, provider.userInfoAccept);
      const identity = mapIdentity(document, provider.userMapping);
      if (identity === undefined) throw new Error("the userinfo answer names nobody");
      return await fallbackEmail(identity, token, scheme);
    } catch (cause) {
      throw refused("userinfo_failed", cause);
    }
  }

  function refused(
    code: "oidc_exchange_failed" | "exchange_failed" | "userinfo_failed",
    cause: unknown,
  ): AuthError {
    log.warn({ err: cause, provider: provider.id, code }, "a sign-in at the identity provider failed");
    return new AuthError(code, { cause });
  }

  return {
    usesPkce,

    async authorizationUrl(secrets, { redirectUri, stepUp }) {
      const server = await begun();
      const oidc = await library();
      const parameters: Record<string, string> = {
        ...provider.extraAuthParams,
        redirect_uri: redirectUri,
        scope: provider.scopes.join(" "),
        state: secrets.state,
        ...(provider.kind === "oidc" ? { nonce: secrets.nonce } : {}),
        ...(stepUp && provider.kind === "oidc"
          ? {
              max_age: "0",
              prompt: "login",
              claims: JSON.stringify({ id_token: { auth_time: { essential: true } } }),
            }
          : {}),
      };
      if (secrets.verifier !== "") {
        parameters["code_challenge"] = await oidc.calculatePKCECodeChallenge(secrets.verifier);
        parameters["code_challenge_method"] = "S256";
      }
      const url = oidc.buildAuthorizationUrl(server, parameters);
      url.searchParams.sort();
      return url.href;
    },

    async identity(answer, secrets) {
      if (provider.kind === "oauth2") return oauthIdentity(answer, secrets);
      try {
        return await openIdIdentity(answer, secrets);
      } catch (cause) {
        throw refused("oidc_exchange_failed", cause);
      }
    },
  };
}
