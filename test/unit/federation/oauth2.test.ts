import { expect, test } from "vitest";
import type { ProviderConfig } from "../../../src/config/provider-config.ts";
import { legacySubject } from "../../../src/core/federation/mapping.ts";
import { exchangeCode, readIdentity } from "../../../src/core/federation/oauth2.ts";
import { type Provider, resolveProvider } from "../../../src/core/federation/provider.ts";

function declared(more: Partial<ProviderConfig>): Provider {
  const provider = resolveProvider({
    id: "github",
    type: "github",
    kind: undefined,
    name: undefined,
    issuer: undefined,
    clientId: "client",
    clientSecret: "secret",
    scopes: undefined,
    redirectUri: undefined,
    authorizationUrl: undefined,
    tokenUrl: undefined,
    userInfoUrl: undefined,
    extraAuthParams: {},
    options: {},
    ...more,
  });
  if (provider === undefined) throw new Error("incomplete");
  return provider;
}

/** Answers by address; remembers what was asked. */
function server(answers: Readonly<Record<string, string>>) {
  const asked: Request[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    asked.push(request);
    const body = answers[request.url];
    return new Response(body ?? "", { status: body === undefined ? 404 : 200 });
  };
  return { fetch, asked };
}

const user = "https://api.github.com/user";
const emails = "https://api.github.com/user/emails";
const granted = { token: "at", type: "bearer" };
const asEarlier = { report: (): void => undefined, onlyTrue: false };

test("GitHub: the verified primary address wins over the one of the public profile", async () => {
  const { fetch, asked } = server({
    [user]: '{"id": 12423434, "login": "mona", "name": "Mona", "email": "public@example.com"}',
    [emails]:
      '[{"email":"old@example.com","primary":false,"verified":true},{"email":"mona@example.com","primary":true,"verified":true}]',
  });
  expect(await readIdentity(declared({}), granted, { fetch, ...asEarlier })).toEqual({
    subject: "12423434",
    email: "mona@example.com",
    emailVerified: true,
    preferredUsername: "mona",
    displayName: "Mona",
    authTime: undefined,
  });
  // The type of the token as the provider wrote it.
  expect(asked.map(({ headers }) => headers.get("authorization"))).toEqual(["bearer at", "bearer at"]);
  expect(asked.map(({ headers }) => headers.get("accept"))).toEqual([
    "application/vnd.github+json",
    "application/vnd.github+json",
  ]);
});

test("GitHub: without a verified primary address the public one is left, unverified", async () => {
  const answers = { [user]: '{"id": 7, "login": "mona", "email": "public@example.com"}' };
  for (const list of [undefined, "[]", '[{"email":"a@example.com","primary":true,"verified":false}]']) {
    const { fetch } = server(list === undefined ? answers : { ...answers, [emails]: list });
    expect(await readIdentity(declared({}), granted, { fetch, ...asEarlier })).toMatchObject({
      subject: "7",
      email: "public@example.com",
      emailVerified: false,
    });
  }
});

test("a number that no double holds keeps its digits", async () => {
  const { fetch } = server({ [user]: '{"id": 9007199254740993123, "login": "x"}' });
  expect(await readIdentity(declared({}), granted, { fetch, ...asEarlier })).toMatchObject({
    subject: "9007199254740993123",
  });
});

test("the subject as servers of the earlier generation stored it", () => {
  expect(["12345", "999999", "1000000", "12423434", "120000000"].map(legacySubject)).toEqual([
    undefined,
    undefined,
    "1e+06",
    "1.2423434e+07",
    "1.2e+08",
  ]);
});

const answer = { code: "c", verifier: "v", redirectUri: "https://auth.example.com/oidc/github/callback?x=1" };

test("the code goes with the client's secret in the form, the redirect URI as it was", async () => {
  const provider = declared({});
  const { fetch, asked } = server({ [provider.tokenUrl ?? ""]: '{"access_token":"at"}' });
  expect(await exchangeCode(provider, answer, fetch)).toEqual({ token: "at", type: "Bearer" });
  const [request] = asked;
  expect(request?.headers.get("accept")).toBe("application/json");
  expect(request?.headers.has("authorization")).toBe(false);
  expect(Object.fromEntries(new URLSearchParams(await request?.text()))).toEqual({
    client_id: "client",
    client_secret: "secret",
    grant_type: "authorization_code",
    code: "c",
    code_verifier: "v",
    redirect_uri: "https://auth.example.com/oidc/github/callback?x=1",
  });
});

test("the other ways of a client to identify itself", async () => {
  const basic = declared({
    clientId: "a:b",
    clientSecret: "c d",
    options: { tokenEndpointAuthMethod: "client_secret_basic" },
  });
  const { fetch, asked } = server({ [basic.tokenUrl ?? ""]: '{"access_token":"at","token_type":"MAC"}' });
  expect(await exchangeCode(basic, answer, fetch)).toEqual({ token: "at", type: "MAC" });
  expect(asked[0]?.headers.get("authorization")).toBe(`Basic ${Buffer.from("a%3Ab:c+d").toString("base64")}`);
  const open = declared({ clientSecret: undefined, options: { tokenEndpointAuthMethod: "none" } });
  await exchangeCode(open, answer, fetch);
  const form = new URLSearchParams(await asked[1]?.text());
  expect([form.get("client_id"), form.has("client_secret")]).toEqual(["client", false]);
});

test("proof keys are used wherever nothing is built in", () => {
  const custom = { id: "acme", type: "oidc", kind: "oidc", issuer: "https://acme.example" } as const;
  expect(declared(custom).pkce).toBe(true);
  expect(declared({ ...custom, options: { pkce: false } }).pkce).toBe(false);
  expect(declared({ id: "apple", type: "apple" }).pkce).toBe(false);
  // A name is no built-in because every object has a member of that name.
  expect(declared({ ...custom, id: "constructor" }).name).toBe("constructor");
});

test("what counts as a verified address: texts and numbers with the earlier generation, only true with the later one", async () => {
  const plain = declared({
    id: "plain",
    type: "plain",
    kind: "oauth2",
    issuer: "https://plain.example",
    authorizationUrl: "https://plain.example/a",
    tokenUrl: "https://plain.example/t",
    userInfoUrl: user,
  });
  const github = declared({});
  for (const [claim, earlier, later] of [
    ["true", true, true],
    ['"true"', true, false],
    ['" TRUE "', true, false],
    ["1", true, false],
    ["false", false, false],
    ["0", false, false],
    ["null", false, false],
    ['"yes"', false, false],
  ] as const) {
    for (const [onlyTrue, expected] of [
      [false, earlier],
      [true, later],
    ] as const) {
      const { fetch } = server({ [user]: `{"sub":"1","email":"a@example.com","email_verified":${claim}}` });
      const reading = { ...asEarlier, fetch, onlyTrue };
      const { emailVerified } = await readIdentity(plain, granted, reading);
      expect(emailVerified, `${claim} ${onlyTrue}`).toBe(expected);
      const { fetch: second } = server({
        [user]: '{"id": 7, "login": "mona"}',
        [emails]: `[{"email":"a@example.com","primary":true,"verified":${claim}}]`,
      });
      const chosen = await readIdentity(github, granted, { ...asEarlier, fetch: second, onlyTrue });
      // The entry is selected by its printed members, so only a value printed as `true` is looked at.
      expect(chosen.emailVerified, `${claim} ${onlyTrue}`).toBe(
        expected && ["true", '"true"'].includes(claim),
      );
    }
  }
});

test("a constant of the configuration says yes in both generations", async () => {
  const always = declared({ options: { userMapping: { emailVerified: { value: true } } } });
  for (const onlyTrue of [false, true]) {
    const { fetch } = server({ [user]: '{"id": 7, "email": "a@example.com"}' });
    expect(await readIdentity(always, granted, { ...asEarlier, fetch, onlyTrue })).toMatchObject({
      emailVerified: true,
    });
  }
});
