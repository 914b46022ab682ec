import { emailOf, password } from "../../schema.ts";
import { managementToken } from "../../services.ts";

/** One kind of request, made once for each account from an address of its own. */
export interface Traffic {
  readonly name: string;
  /** How the request of account `n` looks; `session` is what the account's sign-in handed out. */
  request(
    n: number,
    session: Session | undefined,
  ): readonly [path: string, body: unknown, bearer?: string | undefined];
  /** Signs in, so that what follows has tokens. */
  readonly opens?: true;
  /** A message follows. */
  readonly sends?: true;
}

export interface Session {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** In this order: a login opens what refresh and profile use. */
export const traffics: readonly Traffic[] = [
  {
    name: "login",
    opens: true,
    request: (n) => ["/api/v1/password/login", { email: emailOf(n), password }],
  },
  {
    name: "refresh",
    opens: true,
    request: (_, session) => [
      "/api/v1/token",
      { grant_type: "refresh_token", refresh_token: session?.refreshToken },
    ],
  },
  { name: "me", request: (_, session) => ["/api/v1/me", undefined, session?.accessToken] },
  {
    name: "managementRead",
    request: (n) => ["/v1/call/GetUserByEmail", { email: emailOf(n) }, managementToken],
  },
  { name: "keySet", request: () => ["/.well-known/jwks.json", undefined] },
  {
    name: "codeSent",
    sends: true,
    request: (n) => ["/api/v1/passwordless/start", { identifier: emailOf(n), mode: "code" }],
  },
  { name: "passkeyBegun", request: () => ["/api/v1/passkeys/login/begin", {}] },
  {
    name: "registration",
    request: (n) => [
      "/api/v1/register",
      { identifier: `new${n}@example.com`, username: `new_${n}`, password },
    ],
  },
];

/** What a browser of today calls itself. */
const userAgent =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/** Requests of one kind for accounts 0 to `count`, a few at a time. Throws when one is refused. */
export async function drive(
  url: string,
  traffic: Traffic,
  count: number,
  sessions: Map<number, Session>,
): Promise<void> {
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      const n = next++;
      const [path, body, bearer] = traffic.request(n, sessions.get(n));
      const response = await fetch(`${url}${path}`, {
        method: body === undefined ? "GET" : "POST",
        headers: {
          "user-agent": userAgent,
          "x-forwarded-for": `9.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      if (response.status >= 300) throw new Error(`${traffic.name}: ${response.status} ${text}`);
      if (traffic.opens === true) {
        const reply: Record<string, unknown> = JSON.parse(text);
        sessions.set(n, {
          accessToken: String(reply["access_token"]),
          refreshToken: String(reply["refresh_token"]),
        });
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
}
