import { describe, expect, test } from "vitest";
import { config, fromYaml, problems, production, yamlProblems } from "./load.ts";

const oauth2 =
  "name: Forge, kind: oauth2, issuer: https://forge.example, client_id: 123456789012345678901, client_secret: s, " +
  "authorize_url: https://forge.example/a, token_url: https://forge.example/t, user_info_url: https://forge.example/u";

test("a built-in needs client id and secret alone", () => {
  const made = fromYaml(
    "providers: [{built_in: google, client_id: id, client_secret_file: /s}]",
    production,
    { "/s": "sec\n" },
  );
  expect(made.providers).toEqual([
    {
      ...{
        id: "google",
        type: "google",
        kind: undefined,
        name: undefined,
        issuer: undefined,
        clientId: "id",
        clientSecret: "sec",
      },
      ...{
        scopes: undefined,
        redirectUri: undefined,
        authorizationUrl: undefined,
        tokenUrl: undefined,
        userInfoUrl: undefined,
      },
      ...{ extraAuthParams: {}, options: {} },
    },
  ]);
});

test("generic OAuth 2 is declared completely", () => {
  const [provider] = fromYaml(
    `
providers:
  - {${oauth2}, label: The Forge, scopes: [read, email], pkce: true, user_info_accept: application/json,
     token_endpoint_auth_method: client_secret_basic, extra_auth_params: {prompt: consent},
     user_mapping: {subject: {path: data.id}, email: {path: email, transforms: [trim, lowercase]}, email_verified: {value: true},
                    preferred_username: {path: login}, display_name: {path: name}},
     email_fallback: {url: https://forge.example/emails, accept: text/json, array: true, select: {primary: true},
                      email: {path: email}, email_verified: {path: verified}}}
`,
    production,
  ).providers;
  expect(provider).toEqual({
    ...{ id: "forge", type: "oauth2", kind: "oauth2", name: "The Forge", issuer: "https://forge.example" },
    ...{
      clientId: "123456789012345678901",
      clientSecret: "s",
      scopes: ["read", "email"],
      redirectUri: undefined,
    },
    ...{
      authorizationUrl: "https://forge.example/a",
      tokenUrl: "https://forge.example/t",
      userInfoUrl: "https://forge.example/u",
    },
    extraAuthParams: { prompt: "consent" },
    options: {
      pkce: true,
      tokenEndpointAuthMethod: "client_secret_basic",
      userInfoAccept: "application/json",
      userMapping: {
        subject: { path: "data.id" },
        email: { path: "email", transforms: ["trim", "lowercase"] },
        emailVerified: { value: true },
        preferredUsername: { path: "login" },
        displayName: { path: "name" },
      },
      emailFallback: {
        ...{
          url: "https://forge.example/emails",
          accept: "text/json",
          array: true,
          select: { primary: "true" },
        },
        ...{ email: { path: "email" }, emailVerified: { path: "verified" } },
      },
    },
  });
});

test("generic OpenID Connect, also as a public client", () => {
  const yaml =
    "providers: [{name: corp, kind: oidc, issuer: https://id.corp.example/x, client_id: c, token_endpoint_auth_method: none, redirect_uri: https://auth.example/cb}]";
  expect(fromYaml(yaml).providers[0]).toMatchObject({
    ...{
      id: "corp",
      type: "oidc",
      kind: "oidc",
      clientSecret: undefined,
      redirectUri: "https://auth.example/cb",
    },
    options: { tokenEndpointAuthMethod: "none" },
  });
});

test("Apple makes its secrets from a key", () => {
  const yaml =
    "providers: [{built_in: apple, client_id: com.x, apple_jwt: {team_id: T, key_id: K, private_key_pem_file: /k, ttl: 10m}}]";
  expect(fromYaml(yaml, {}, { "/k": "line1\\nline2\n" }).providers[0]).toMatchObject({
    ...{ id: "apple", type: "apple", clientSecret: undefined },
    options: { apple: { teamId: "T", keyId: "K", privateKeyPem: "line1\nline2", ttlSeconds: 600 } },
  });
});

test("built-ins by environment", () => {
  const made = config({
    ...{ AUTHKIT_OIDC_GOOGLE_CLIENT_ID: "g", AUTHKIT_OIDC_GOOGLE_CLIENT_SECRET: "gs" },
    ...{ AUTHKIT_OIDC_GITHUB_CLIENT_ID: "h", AUTHKIT_OIDC_GITHUB_CLIENT_SECRET: "hs" },
    ...{ AUTHKIT_OIDC_APPLE_CLIENT_ID: "a", AUTHKIT_OIDC_APPLE_TEAM_ID: "t", AUTHKIT_OIDC_APPLE_KEY_ID: "k" },
    AUTHKIT_OIDC_APPLE_PRIVATE_KEY: "x\\ny",
  });
  expect(made.providers.map(({ id, clientId, clientSecret }) => [id, clientId, clientSecret])).toEqual([
    ["google", "g", "gs"],
    ["github", "h", "hs"],
    ["apple", "a", undefined],
  ]);
  expect(made.providers[2]?.options.apple).toEqual({
    teamId: "t",
    keyId: "k",
    privateKeyPem: "x\ny",
    ttlSeconds: 300,
  });
  expect(problems({ AUTHKIT_OIDC_DISCORD_CLIENT_ID: "d" })).toEqual([
    "AUTHKIT_OIDC_DISCORD_CLIENT_ID: is set without AUTHKIT_OIDC_DISCORD_CLIENT_SECRET; set AUTHKIT_OIDC_DISCORD_CLIENT_SECRET too",
  ]);
  expect(problems({ AUTHKIT_OIDC_APPLE_CLIENT_ID: "a" })).toEqual([
    expect.stringContaining("TEAM_ID and AUTHKIT_OIDC_APPLE_KEY_ID and"),
  ]);
});

test("the list may stand in a file of its own", () => {
  const list = "- {built_in: google, client_id: id, client_secret: s}";
  expect(config({ AUTHKIT_PROVIDERS_PATH: "p" }, { p: list }).providers).toHaveLength(1);
  expect(config({ AUTHKIT_PROVIDERS_PATH: "p" }, { p: `providers:\n${list}` }).providers).toHaveLength(1);
  expect(
    config(
      { AUTHKIT_PROVIDERS_PATH: "p" },
      { p: '[{"built_in":"github","client_id":"x","client_secret":"y"}]' },
    ).providers[0]?.id,
  ).toBe("github");
  expect(problems({ AUTHKIT_PROVIDERS_PATH: "p" }, { p: "- {}" })).toEqual([
    expect.stringContaining("p:1: providers[0]: lacks client_id"),
  ]);
});

describe("refusals", () => {
  test.each([
    ["{client_id: c, client_secret: s, kind: oidc, issuer: https://i}", "has neither name nor built_in"],
    [
      "{name: 'a b', client_id: c, client_secret: s, kind: oidc, issuer: https://i}",
      'providers[0].name: "a b" does not have this form',
    ],
    ["{built_in: gogle, client_id: c, client_secret: s}", "providers[0].built_in"],
    ["{built_in: google, kind: oidc, client_id: c, client_secret: s}", "has both built_in and kind"],
    ["{name: x, client_id: c, client_secret: s, issuer: https://i}", "has no kind"],
    ["{name: x, kind: oidc, client_id: c, client_secret: s}", "has no issuer"],
    ["{name: x, kind: oidc, issuer: https://i, client_id: c}", "has no client secret"],
    [
      "{name: x, kind: oidc, issuer: https://i, client_id: c, client_secret: s, token_endpoint_auth_method: none}",
      "identifies its client in more than one way",
    ],
    [
      "{name: x, kind: oidc, issuer: https://i, client_id: c, token_endpoint_auth_method: none, pkce: false}",
      "is a public client without pkce",
    ],
    [
      "{built_in: google, client_id: c, client_secret: s, client_secret_file: /x}",
      "client_secret_file: is given beside client_secret",
    ],
    ["{built_in: google, client_id: c, client_secret_file: /missing}", "client_secret_file: cannot be read"],
    [
      "{built_in: apple, client_id: c, client_secret_strategy: apple_jwt}",
      "has the strategy apple_jwt without its settings",
    ],
    [
      "{built_in: apple, client_id: c, apple_jwt: {team_id: t, key_id: k}}",
      "has apple_jwt without private_key_pem",
    ],
    [
      "{built_in: apple, client_id: c, apple_jwt: {team_id: t, private_key_pem: p}}",
      "apple_jwt: lacks key_id",
    ],
    [
      "{built_in: google, client_id: c, client_secret: s, client_secret_strategy: magic}",
      "client_secret_strategy",
    ],
    [
      "{name: x, kind: oidc, issuer: http://id.example, client_id: c, client_secret: s}",
      '"http://id.example" is not https',
    ],
    [
      `{${oauth2.replace("https://forge.example/t", "http://forge.example/t")}, user_mapping: {subject: {path: id}}}`,
      "is not https",
    ],
    [`{${oauth2}}`, "has no user_mapping.subject"],
    [
      `{${oauth2.replace(", token_url: https://forge.example/t", "")}, user_mapping: {subject: {path: id}}}`,
      "has no token_url",
    ],
    [`{${oauth2}, user_mapping: {subject: {path: id, transforms: [upper]}}}`, "transforms"],
    [
      "{built_in: google, client_id: c, client_secret: s}, {name: Google, kind: oidc, issuer: https://i, client_id: c, client_secret: s}",
      "google is declared twice",
    ],
    [
      "{built_in: google, client_id: c, client_secret: s, scope: [a]}",
      "providers[0].scope: is not a known setting; did you mean scopes?",
    ],
  ])("%s", (entries, message) => {
    const found = yamlProblems(`providers: [${entries}]`);
    expect(found.join("\n")).toContain(message);
  });

  test("plain http is for loopback in development", () => {
    const yaml =
      "providers: [{name: x, kind: oidc, issuer: 'http://127.0.0.1:9000', client_id: c, client_secret: s}]";
    expect(yamlProblems(yaml)).toEqual([]);
    expect(yamlProblems(yaml, production)).toEqual([expect.stringContaining("is not https")]);
  });

  test("a secret's value stays out of messages", () => {
    const found = yamlProblems("providers: [{name: x, client_id: c, client_secret: [hunter2]}]").join("\n");
    expect(found).toContain("client_secret");
    expect(found).not.toContain("hunter2");
  });
});
