import { createHash } from "node:crypto";
import type { ClientAuth, Configuration, CustomFetch } from "openid-client";
import { AuthError } from "../../contract/errors/index.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log/port.ts";
import { followingRedirects } from "../../platform/outbound/redirects.ts";
import { createAppleSecrets } from "./apple.ts";
import { assertBelongs, clockSkew, identityOf } from "./id-token.ts";
import type { ExternalIdentity } from "./mapping.ts";
import { authorizationAddress, exchangeCode, readIdentity } from "./oauth2.ts";
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

/** What the provider's answer brought back. */
export interface ProviderAnswer {
  readonly code: string;
  /** RFC 9207. */
  readonly issuer: string | undefined;
  /** The redirect URI of the flow, sent along verbatim. */
  readonly redirectUri: string;
}

export interface AuthorizationOptions {
  readonly redirectUri: string;
  /** Asks for a fresh authentication at the provider. */
  readonly stepUp: boolean;
}

/** The protocol with one provider: OpenID Connect by openid-client, plain OAuth 2.0 by hand. */
export interface ProviderClient {
  /** Whether this provider's flows use PKCE. Throws `oidc_begin_failed`. */
  usesPkce(): Promise<boolean>;
  /** Whether a sign-in there can prove that it is fresh, as far as is known by now. */
  provesFreshness(): boolean;
  /** Throws `oidc_begin_failed`. */
  authorizationUrl(secrets: FlowSecrets, options: AuthorizationOptions): Promise<string>;
  /**
   * Exchanges the code of the answer and tells who it is. Throws `oidc_exchange_failed`; for plain OAuth 2.0 `exchange_failed` and
   * `userinfo_failed`.
   */
  identity(answer: ProviderAnswer, secrets: FlowSecrets): Promise<ExternalIdentity>;
}

export interface ClientContext {
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly log: Log;
  /** An address in a userinfo answer is verified only by the JSON value `true`; else texts and numbers count too. */
  readonly onlyTrue: boolean;
}

export function createProviderClient(provider: Provider, context: ClientContext): ProviderClient {
  const { clock, log } = context;
  const fetch = followingRedirects(context.fetch);
  const guarded: CustomFetch = (url, { method, headers, body, signal }) =>
    fetch(url, {
      ...{ method, headers },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  const appleSecret =
    provider.apple === undefined ? undefined : createAppleSecrets(provider.apple, provider.clientId);
  let current: { readonly made: Promise<Configuration>; readonly at: number } | undefined;

  let claimsSupported: readonly string[] | undefined;

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
    if (provider.authMethod === "client_secret_post") return oidc.ClientSecretPost(secret);
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
    const issuer = new URL(provider.issuer);
    // Plain http passes validation of the configuration in development only.
    const insecure = issuer.protocol === "http:" ? [oidc.allowInsecureRequests] : [];
    const metadata = { [oidc.clockTolerance]: clockSkew };
    const found = await oidc.discovery(issuer, provider.clientId, metadata, await authentication(), {
      [oidc.customFetch]: guarded,
      // A signature is checked even though the token came over TLS from the issuer itself.
      execute: [...insecure, oidc.enableNonRepudiationChecks],
    });
    claimsSupported = found.serverMetadata().claims_supported;
    const endpoint = URL.parse(found.serverMetadata().authorization_endpoint ?? "");
    // The library checks the addresses it asks itself; this one the browser goes to.
    if (endpoint?.protocol !== "https:" && endpoint?.protocol !== issuer.protocol)
      throw new Error("the authorization endpoint is not https");
    return found;
  }

  /** One discovery at a time; a failed one is forgotten at once. */
  function configuration(): Promise<Configuration> {
    const now = clock.monotonic();
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

  async function openIdIdentity(answer: ProviderAnswer, secrets: FlowSecrets): Promise<ExternalIdentity> {
    const oidc = await library();
    const url = new URL(answer.redirectUri);
    url.searchParams.set("state", secrets.state);
    url.searchParams.set("code", answer.code);
    if (answer.issuer !== undefined) url.searchParams.set("iss", answer.issuer);
    const granted = await oidc.authorizationCodeGrant(await configuration(), url, {
      expectedState: secrets.state,
      expectedNonce: secrets.nonce,
      idTokenExpected: true,
      ...(secrets.verifier === "" ? {} : { pkceCodeVerifier: secrets.verifier }),
    });
    const claims = granted.claims();
    const { id_token: idToken, access_token: accessToken } = granted;
    if (claims === undefined || idToken === undefined) throw new Error("the answer names nobody");
    assertBelongs(claims, { clientId: provider.clientId, accessToken, idToken }, clock.epochSeconds());
    return identityOf(claims);
  }

  async function oauthIdentity(answer: ProviderAnswer, { verifier }: FlowSecrets): Promise<ExternalIdentity> {
    const { code, redirectUri } = answer;
    const granted = await exchangeCode(provider, { code, verifier, redirectUri }, fetch).catch(
      (cause: unknown) => {
        throw refused("exchange_failed", cause);
      },
    );
    const report = (err: unknown): void => {
      const missing = "the provider's second answer about e-mail addresses is missing";
      log.warn({ err, provider: provider.id }, missing);
    };
    return readIdentity(provider, granted, { fetch, report, onlyTrue: context.onlyTrue }).catch(
      (cause: unknown) => {
        throw refused("userinfo_failed", cause);
      },
    );
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

    provesFreshness() {
      // Plain OAuth 2.0 cannot say when somebody signed in; only a forced prompt makes it worth something.
      if (provider.kind === "oauth2") return provider.extraAuthParams["prompt"] === "login";
      return provider.authTime ?? claimsSupported?.includes("auth_time") ?? true;
    },

    async authorizationUrl(secrets, { redirectUri, stepUp }) {
      const parameters: Record<string, string> = {
        ...provider.extraAuthParams,
        redirect_uri: redirectUri,
        scope: provider.scopes.join(" "),
        state: secrets.state,
      };
      if (secrets.verifier !== "") {
        parameters["code_challenge"] = createHash("sha256").update(secrets.verifier).digest("base64url");
        parameters["code_challenge_method"] = "S256";
      }
      if (provider.kind === "oauth2") return authorizationAddress(provider, parameters);
      parameters["nonce"] = secrets.nonce;
      if (stepUp) {
        parameters["max_age"] = "0";
        parameters["prompt"] = "login";
        parameters["claims"] = JSON.stringify({ id_token: { auth_time: { essential: true } } });
      }
      const server = await begun();
      const url = (await library()).buildAuthorizationUrl(server, parameters);
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
