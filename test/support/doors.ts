import { expect } from "vitest";
import { type TestWallet, testWallet } from "../unit/solana/wallet.ts";
import { api, messagesTo, registered } from "./accounts.ts";
import { SoftwareAuthenticator } from "./authenticator.ts";
import type { TestCluster } from "./cluster.ts";
import { forge, type HostileProvider } from "./hostile-provider.ts";
import { call, request, type TestReply } from "./http.ts";
import { until } from "./outcome.ts";

/** An account every way in leads to. */
export interface Dweller extends Awaited<ReturnType<typeof registered>> {
  readonly id: string;
  readonly passkey: SoftwareAuthenticator;
  readonly wallet: TestWallet;
  /** Subject at the provider `acme`. */
  readonly subject: string;
}

export interface House {
  /** Seconds a message may take; default 3, since many a door has none to wait for. */
  readonly messageSeconds?: number;
  readonly cluster: TestCluster;
  readonly provider: HostileProvider;
  /** Origin of passkeys. */
  readonly origin: string;
}

function must(reply: TestReply): TestReply {
  if (reply.status >= 300) throw new Error(`${reply.status} ${reply.text}`);
  return reply;
}

/** What both ceremonies of passkeys begin with. */
interface Ceremony {
  readonly challenge: string;
  readonly rpId: string;
  readonly rp: { readonly id: string };
  readonly user: { readonly id: string; readonly name: string };
  readonly pubKeyCredParams: readonly { readonly alg: number }[];
}

async function challengeOf(reply: Promise<TestReply>): Promise<Ceremony> {
  return JSON.parse(JSON.stringify(must(await reply).body["publicKey"]));
}

/** The provider signs `subject` in at the address a flow begins with: the callback's path and the cookie it wants. */
export function answered(
  provider: HostileProvider,
  location: string,
  subject: string,
  callback = "callback",
): { readonly path: string; readonly cookie: string } {
  const { searchParams } = new URL(location);
  const state = searchParams.get("state") ?? "";
  const iss = `${provider.issuer}/acme`;
  const at = Math.floor(Date.now() / 1000);
  const claims = {
    iss,
    aud: "authkit",
    nonce: searchParams.get("nonce"),
    sub: subject,
    iat: at,
    exp: at + 300,
  };
  const token = forge({ alg: "ES256", kid: "k1" }, claims, provider.keys.privateKey);
  provider.token = { body: { access_token: "at", token_type: "Bearer", id_token: token } };
  return {
    path: `/oidc/acme/${callback}?state=${state}&code=c&iss=${encodeURIComponent(iss)}`,
    cookie: `authkit_oauth_state=${state}`,
  };
}

/** Signs in at `acme` as this subject, or links it to the account of the bearer. `callback` is either of the two. */
export async function throughProvider(
  { cluster, provider }: House,
  subject: string,
  bearer?: string,
  callback: "callback" | "step-up/callback" = "callback",
): Promise<TestReply> {
  let location: string;
  if (bearer === undefined) {
    const started = await request(`${cluster.api}/oidc/acme/login`, {
      headers: { accept: "application/json" },
    });
    location = started.headers.get("location") ?? "";
  } else
    location = String(
      must(await api(cluster, "/oidc/acme/link/start", { method: "POST", bearer })).body["auth_url"],
    );
  const { path, cookie } = answered(provider, location, subject, callback);
  return request(`${cluster.api}${path}&format=json`, {
    headers: { cookie, accept: "application/json" },
  });
}

async function walletMessage({ cluster }: House, wallet: TestWallet, bearer?: string): Promise<string> {
  const more = bearer === undefined ? {} : { purpose: "link" };
  const reply = await api(cluster, "/solana/challenge", {
    body: { address: wallet.address, ...more },
    ...(bearer === undefined ? {} : { bearer }),
  });
  return String(must(reply).body["message"]);
}

/** Registers somebody and opens every door: a verified address, a passkey, a wallet, a provider. */
export async function settle(house: House): Promise<Dweller> {
  const { cluster, origin } = house;
  const account = await registered(cluster);
  const bearer = account.accessToken;
  const found = must(await call(cluster, "GetUserByEmail", { email: account.email }));
  const id = String(Object(found.body["result"]).ID);
  must(await call(cluster, "SetEmailVerified", { id, v: true }));
  const passkey = new SoftwareAuthenticator({ origin });
  const begun = api(cluster, "/passkeys/register/begin", { method: "POST", body: {}, bearer });
  must(
    await api(cluster, "/passkeys/register/finish", {
      body: passkey.create(await challengeOf(begun)),
      bearer,
    }),
  );
  const wallet = testWallet();
  must(
    await api(cluster, "/solana/link", {
      body: wallet.body(await walletMessage(house, wallet, bearer)),
      bearer,
    }),
  );
  const subject = `subject-${id}`;
  must(await throughProvider(house, subject, bearer));
  return { ...account, id, passkey, wallet, subject };
}

/** What comes of trying one way in. */
export type Door = (house: House, who: Dweller) => Promise<TestReply>;

async function passwordless(
  { cluster, messageSeconds = 3 }: House,
  { email }: Dweller,
  mode: "code" | "link",
): Promise<TestReply> {
  const before = (await messagesTo(cluster, email)).length;
  const started = await api(cluster, "/passwordless/start", { body: { identifier: email, mode } });
  if (started.status >= 300) return started;
  let last = { code: "", token: "" };
  // Who gets no message is refused when he makes one up.
  await until("a message", messageSeconds, async () => {
    const messages = (await messagesTo(cluster, email)).slice(before);
    last = messages.find(({ code, token }) => (mode === "code" ? code : token) !== "") ?? last;
    return last.code + last.token !== "";
  }).catch(() => undefined);
  const proof =
    mode === "code"
      ? { identifier: email, code: last.code || "000000" }
      : { token: last.token || "x".repeat(43) };
  return api(cluster, "/passwordless/confirm", { body: proof });
}

export const doors: Readonly<Record<string, Door>> = {
  "password by e-mail": ({ cluster }, { email, password }) =>
    api(cluster, "/password/login", { body: { email, password } }),
  "password by username": ({ cluster }, { username, password }) =>
    api(cluster, "/password/login", { body: { login: username, password } }),
  "code by e-mail": (house, who) => passwordless(house, who, "code"),
  "link by e-mail": (house, who) => passwordless(house, who, "link"),
  async passkey({ cluster }, { passkey }) {
    const begun = api(cluster, "/passkeys/login/begin", { method: "POST", body: {} });
    return api(cluster, "/passkeys/login/finish", { body: passkey.get(await challengeOf(begun)) });
  },
  provider: (house, { subject }) => throughProvider(house, subject),
  wallet: async (house, { wallet }) =>
    api(house.cluster, "/solana/login", { body: wallet.body(await walletMessage(house, wallet)) }),
  "refresh token": ({ cluster }, { refreshToken }) =>
    api(cluster, "/token", { body: { grant_type: "refresh_token", refresh_token: refreshToken } }),
  "refresh token of a back end": ({ cluster }, { refreshToken }) =>
    call(cluster, "ExchangeRefreshToken", { refreshToken, ua: "", ip: "" }),
};

/** `session`, `challenge`, `enrolment`, or the code of the refusal. */
export function resultOf(reply: TestReply): string {
  const nested = reply.body["result"];
  const body = typeof nested === "object" && nested !== null ? Object(nested) : reply.body;
  if (body.requires_2fa_enrollment === true || body.RequiresEnrollment === true) return "enrolment";
  if (body.requires_2fa === true) return "challenge";
  if (reply.code === "2fa_enrollment_required") return "enrolment";
  if (reply.code !== undefined) return reply.code.replaceAll(" ", "_");
  if (Object(body.error).requires_2fa_enrollment === true) return "enrolment";
  if (typeof body.access_token === "string" || typeof body.r0 === "string") return "session";
  expect.fail(`neither session nor refusal: ${reply.status} ${reply.text}`);
}
