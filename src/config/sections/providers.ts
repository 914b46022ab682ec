import type { EmailFallback, FieldMapping, ProviderConfig, ProviderOptions, UserMapping } from "../config.ts";
import { webAddress } from "../network.ts";
import {
  constant,
  leaf,
  listOf,
  mapOf,
  maybe,
  type ObjectOf,
  object,
  type Position,
  refuse,
  required,
  type Shape,
  secretField,
} from "../shape.ts";
import { boolean, duration, list, oneOf, pattern, text } from "../values.ts";

/** Providers whose endpoints and mapping the server knows. */
export const builtInProviders = ["google", "apple", "discord", "github"] as const;

const slug = pattern(
  "slug",
  "letters, digits, `-` and `_`, starting with a letter or digit, at most 64",
  /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/,
);

const fieldMappingFields = {
  path: maybe(leaf(text), "Dotted path into the answer."),
  value: maybe(constant, "Constant; wins over `path`."),
  transforms: maybe(leaf(list(oneOf("string", "trim", "lowercase"))), "Applied in order."),
};
const fieldMapping = object(fieldMappingFields);

const mappingFields = {
  subject: maybe(fieldMapping, "Stable id of the person at the provider."),
  email: maybe(fieldMapping, "E-mail address."),
  email_verified: maybe(fieldMapping, "Whether the provider has proven the address."),
  preferred_username: maybe(fieldMapping, "Wanted user name."),
  display_name: maybe(fieldMapping, "Name shown to people."),
};

const fallbackFields = {
  url: required(leaf(webAddress), "Asked with the same access token."),
  accept: maybe(leaf(text), "`Accept` header."),
  always: maybe(
    leaf(boolean),
    "Asked in any case; the address it brings wins over that of the first answer.",
  ),
  array: maybe(leaf(boolean), "The answer is an array."),
  select: maybe(mapOf(leaf(text)), "Dotted path → the value the wanted element prints there."),
  email: required(fieldMapping, "E-mail address."),
  email_verified: maybe(fieldMapping, "Whether the provider has proven the address."),
};

const appleFields = {
  team_id: required(leaf(text), "Apple team id."),
  key_id: required(leaf(text), "Id of the sign-in key."),
  private_key_pem: secretField(text, "Sign-in key as PEM (P-256)."),
  ttl: maybe(leaf(duration), "Lifetime of each client secret; default 5m."),
};

const providerFields = {
  name: maybe(leaf(slug), "Slug in routes and stored links, lower-cased; default the built-in's."),
  built_in: maybe(
    leaf(oneOf(...builtInProviders)),
    "Inherit endpoints, scopes and mapping of a known provider.",
  ),
  kind: maybe(leaf(oneOf("oidc", "oauth2")), "Flow; required without `built_in`."),
  label: maybe(leaf(text), "Name shown to people."),
  issuer: maybe(
    leaf(webAddress),
    "OIDC: discovery base and expected `iss`. OAuth 2: the name under which links are stored.",
  ),
  client_id: required(leaf(text), "Client id registered at the provider."),
  client_secret: secretField(text, "Client secret."),
  client_secret_strategy: maybe(leaf(oneOf("apple_jwt")), "Make the client secret for each use."),
  apple_jwt: maybe(object(appleFields), "Settings of the `apple_jwt` strategy."),
  token_endpoint_auth_method: maybe(
    leaf(oneOf("client_secret_post", "client_secret_basic", "none")),
    "How the server identifies itself at the token endpoint; `none` is a public client and demands PKCE.",
  ),
  scopes: maybe(leaf(list(text)), "Scopes asked for."),
  pkce: maybe(leaf(boolean), "Proof key for code exchange (S256)."),
  redirect_uri: maybe(leaf(webAddress), "Redirect URI, when not derived from the public URL."),
  authorize_url: maybe(leaf(webAddress), "Authorization endpoint (`oauth2`)."),
  token_url: maybe(leaf(webAddress), "Token endpoint (`oauth2`)."),
  user_info_url: maybe(leaf(webAddress), "Userinfo endpoint (`oauth2`)."),
  user_info_accept: maybe(leaf(text), "`Accept` header of the userinfo request."),
  extra_auth_params: maybe(mapOf(leaf(text)), "Added to the authorization request."),
  user_mapping: maybe(object(mappingFields), "Where the userinfo answer holds what (`oauth2`)."),
  email_fallback: maybe(object(fallbackFields), "Second request when the first brought no e-mail address."),
};

type Given = ObjectOf<typeof providerFields>;
const provider = object(providerFields);

/** The list of identity providers; a half-configured one refuses the start instead of silently missing. */
export const providers: Shape<readonly ProviderConfig[]> = {
  schema: listOf(provider).schema,
  read(tree, at) {
    const read: Shape<ProviderConfig> = {
      schema: provider.schema,
      read(item, here) {
        const given = provider.read(item, here);
        return given === undefined ? undefined : complete(given, here);
      },
    };
    return listOf(read).read(tree, at);
  },
};

function complete(given: Given, at: Position): ProviderConfig | undefined {
  const id = (given.name ?? given.built_in)?.toLowerCase();
  if (id === undefined) return refuse(at, "has neither name nor built_in", "name the provider");
  checkEndpoints(given, at);
  checkSecret(given, at);
  return {
    id,
    type: given.built_in ?? given.kind ?? "oidc",
    kind: given.kind,
    name: given.label,
    issuer: given.issuer,
    clientId: given.client_id,
    clientSecret: given.client_secret,
    scopes: given.scopes,
    redirectUri: given.redirect_uri,
    authorizationUrl: given.authorize_url,
    tokenUrl: given.token_url,
    userInfoUrl: given.user_info_url,
    extraAuthParams: given.extra_auth_params ?? {},
    options: options(given),
  };
}

function checkEndpoints(given: Given, at: Position): void {
  if (given.built_in !== undefined) {
    if (given.kind !== undefined) refuse(at, "has both built_in and kind", "remove kind");
    return;
  }
  if (given.kind === undefined) refuse(at, "has no kind", "use oidc or oauth2, or built_in");
  if (given.issuer === undefined) refuse(at, "has no issuer");
  if (given.kind !== "oauth2") return;
  for (const key of ["authorize_url", "token_url", "user_info_url"] as const) {
    if (given[key] === undefined)
      refuse(at, `has no ${key}`, "oauth2 has no discovery: give all three endpoints");
  }
  if (given.user_mapping?.subject === undefined) {
    refuse(at, "has no user_mapping.subject", "say where the userinfo answer holds the person's id");
  }
}

function checkSecret(given: Given, at: Position): void {
  const apple = given.client_secret_strategy === "apple_jwt" || given.apple_jwt !== undefined;
  const ways = [given.client_secret !== undefined, apple, given.token_endpoint_auth_method === "none"].filter(
    Boolean,
  ).length;
  if (ways === 0)
    refuse(
      at,
      "has no client secret",
      "give client_secret or client_secret_file, apple_jwt, or token_endpoint_auth_method: none",
    );
  if (ways > 1)
    refuse(
      at,
      "identifies its client in more than one way",
      "keep one of client_secret, apple_jwt and token_endpoint_auth_method: none",
    );
  if (!apple) {
    if (given.built_in === "apple" && given.client_secret === undefined) refuse(at, "has no apple_jwt");
    if (given.token_endpoint_auth_method === "none" && given.pkce === false)
      refuse(at, "is a public client without pkce");
    return;
  }
  if (given.kind === "oauth2") refuse(at, "uses apple_jwt with oauth2", "use it with oidc");
  if (given.apple_jwt === undefined)
    refuse(at, "has the strategy apple_jwt without its settings", "add apple_jwt");
  else if (given.apple_jwt.private_key_pem === undefined)
    refuse(at, "has apple_jwt without private_key_pem", "or give private_key_pem_file");
}

function options(given: Given): ProviderOptions & Readonly<Record<string, unknown>> {
  return {
    ...present("pkce", given.pkce),
    ...present("tokenEndpointAuthMethod", given.token_endpoint_auth_method),
    ...present("userInfoAccept", given.user_info_accept),
    ...present("userMapping", given.user_mapping && userMapping(given.user_mapping)),
    ...present("emailFallback", given.email_fallback && emailFallback(given.email_fallback)),
    ...present("apple", given.apple_jwt && appleSecret(given.apple_jwt)),
  };
}

/** `{ [key]: value }`, or nothing when there is no value: optional members must be absent, not undefined. */
function present<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [P in K]?: T });
}

function mapping(given: ObjectOf<typeof fieldMappingFields>): FieldMapping {
  return {
    ...present("path", given.path),
    ...present("value", given.value),
    ...present("transforms", given.transforms),
  };
}

function userMapping(given: ObjectOf<typeof mappingFields>): UserMapping {
  return {
    ...present("subject", given.subject && mapping(given.subject)),
    ...present("email", given.email && mapping(given.email)),
    ...present("emailVerified", given.email_verified && mapping(given.email_verified)),
    ...present("preferredUsername", given.preferred_username && mapping(given.preferred_username)),
    ...present("displayName", given.display_name && mapping(given.display_name)),
  };
}

function emailFallback(given: ObjectOf<typeof fallbackFields>): EmailFallback {
  return {
    url: given.url,
    ...present("accept", given.accept),
    ...present("always", given.always),
    ...present("array", given.array),
    ...present("select", given.select),
    email: mapping(given.email),
    ...present("emailVerified", given.email_verified && mapping(given.email_verified)),
  };
}

function appleSecret(given: ObjectOf<typeof appleFields>): ProviderOptions["apple"] & object {
  return {
    teamId: given.team_id,
    keyId: given.key_id,
    privateKeyPem: given.private_key_pem ?? "",
    ttlSeconds: (given.ttl ?? 300_000) / 1_000,
  };
}
