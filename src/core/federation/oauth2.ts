import { JsonReader } from "../../contract/codec/index.ts";
import type { JsonValue } from "../../contract/json.ts";
import { type ExternalIdentity, mapFallbackEmail, mapIdentity } from "./mapping.ts";
import type { Provider } from "./provider.ts";

/** What a provider grants for a code. */
export interface Grant {
  readonly token: string;
  /** Authentication scheme of the token, as the provider writes it. */
  readonly type: string;
}

interface Answer {
  readonly code: string;
  readonly verifier: string;
  readonly redirectUri: string;
}

/** JSON of an answer with status 200; integers of any length keep their digits. */
async function readJson(url: string, response: Response): Promise<JsonValue> {
  if (response.status !== 200) throw new Error(`${new URL(url).hostname} answered ${response.status}`);
  const reader = new JsonReader(await response.text());
  const value = reader.json();
  reader.end();
  return value;
}

function member(document: JsonValue, name: string): string {
  const value: unknown =
    typeof document === "object" && document !== null && Object.hasOwn(document, name)
      ? Reflect.get(document, name)
      : undefined;
  return typeof value === "string" ? value.trim() : "";
}

/** Where the browser goes; parameters the operator's address has already stay. */
export function authorizationAddress(
  { authorizationUrl = "", clientId }: Provider,
  parameters: Readonly<Record<string, string>>,
): string {
  const url = new URL(authorizationUrl);
  const all = { response_type: "code", ...parameters, client_id: clientId };
  for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
  url.searchParams.sort();
  return url.href;
}

/** How the client identifies itself: in the form (RFC 6749 §2.3.1) unless the operator wants Basic or has a public client. */
function credentials({ clientId, clientSecret = "", authMethod }: Provider) {
  if (authMethod === "none") return { form: { client_id: clientId }, headers: {} };
  if (authMethod !== "client_secret_basic")
    return { form: { client_id: clientId, client_secret: clientSecret }, headers: {} };
  const encoded = [clientId, clientSecret].map((part) => new URLSearchParams({ part }).toString().slice(5));
  return {
    form: {},
    headers: { authorization: `Basic ${Buffer.from(encoded.join(":")).toString("base64")}` },
  };
}

/**
 * Exchanges a code at a plain OAuth 2.0 provider. Read leniently, because these providers were never certified against anything: only the access
 * token counts, its type may be missing, and scopes come in every shape.
 */
export async function exchangeCode(
  provider: Provider,
  { code, verifier, redirectUri }: Answer,
  fetch: typeof globalThis.fetch,
): Promise<Grant> {
  const url = provider.tokenUrl ?? "";
  const { form, headers } = credentials(provider);
  const body = new URLSearchParams({
    ...form,
    grant_type: "authorization_code",
    code,
    redirect_uri: redirectUri,
    ...(verifier === "" ? {} : { code_verifier: verifier }),
  });
  const response = await fetch(url, {
    method: "POST",
    headers: {
      ...headers,
      accept: "application/json",
      "content-type": "application/x-www-form-urlencoded",
    },
    body: body.toString(),
  });
  const answer = await readJson(url, response);
  const token = member(answer, "access_token");
  if (token === "") {
    // GitHub reports failures with status 200; the code is safe to log, descriptions are cut.
    throw new Error(`no access token: ${JSON.stringify(member(answer, "error").slice(0, 200))}`);
  }
  return { token, type: member(answer, "token_type") || "Bearer" };
}

/** How a provider is asked who somebody is. */
export interface Reading {
  readonly fetch: typeof globalThis.fetch;
  /** Told of a failed second question, which costs the address only. */
  readonly report: (error: unknown) => void;
  /** Flags count as yes only as the JSON value `true`. */
  readonly onlyTrue: boolean;
}

/** Who the token belongs to. Throws when the provider does not say. */
export async function readIdentity(
  provider: Provider,
  { token, type }: Grant,
  { fetch, report, onlyTrue }: Reading,
): Promise<ExternalIdentity> {
  const read = async (url: string, accept: string | undefined): Promise<JsonValue> => {
    const headers = { authorization: `${type} ${token}`, ...(accept === undefined ? {} : { accept }) };
    return readJson(url, await fetch(url, { headers }));
  };
  const identity = mapIdentity(
    await read(provider.userInfoUrl ?? "", provider.userInfoAccept),
    provider.userMapping,
    onlyTrue,
  );
  if (identity === undefined) throw new Error("the userinfo answer names nobody");
  const fallback = provider.emailFallback;
  if (fallback === undefined || (identity.email !== "" && fallback.always !== true)) return identity;
  try {
    const found = mapFallbackEmail(await read(fallback.url, fallback.accept), fallback, onlyTrue);
    return found === undefined ? identity : { ...identity, ...found };
  } catch (error) {
    // An address is welcome, not needed.
    report(error);
    return identity;
  }
}
