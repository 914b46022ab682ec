import { createSign, type KeyObject, sign } from "node:crypto";
import { type AuthenticatorContext, createAuthenticator } from "../../../src/core/authentication/index.ts";
import type {
  ApplicationAuthority,
  ApplicationIssuer,
  RemoteApplicationResolver,
} from "../../../src/core/authentication/resolvers.ts";
import { generatePrivateKey } from "../../../src/core/signing-keys/generate.ts";
import { buildKeySet } from "../../../src/core/signing-keys/key-set.ts";
import type { VerificationKey } from "../../../src/core/signing-keys/types.ts";
import { createTokens } from "../../../src/core/tokens/index.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { type ConfigOverrides, testConfig } from "../../support/config.ts";
import { keySet, testClock, testRing } from "../tokens/fixtures.ts";

export const now = 1_782_475_200;
export const issuer = "https://auth.example.com";
export const userId = "019f0000-0000-7000-8000-0000000000aa";
export const sessionId = "019f0000-0000-7000-8000-000000000001";

/** An authenticator with a key `k1` of its own, a standing clock, and nobody revoked. */
export function authenticatorFor(
  overrides: ConfigOverrides = {},
  parts: Partial<Omit<AuthenticatorContext, "config" | "keyring" | "clock">> = {},
) {
  const config = testConfig({}, { issuer, ...overrides });
  const clock = testClock(now);
  const keys = keySet("k1");
  const keyring = testRing(keys);
  const context: AuthenticatorContext = {
    config,
    keyring,
    clock,
    log: silentLog,
    revocations: { access: () => "admitted", confirm: async () => "admitted" },
    ...parts,
  };
  const authenticator = createAuthenticator(context);
  return {
    config,
    clock,
    keyring,
    keys,
    tokens: createTokens(config, keyring, clock, silentLog),
    authenticate: (token: string) => authenticator.authenticate(`Bearer ${token}`),
    authenticator,
  };
}

/** The code a token is refused with; the principal's kind when it is not. */
export async function outcome(work: () => unknown): Promise<string> {
  try {
    const principal = await work();
    return typeof principal === "object" && principal !== null
      ? String(Reflect.get(principal, "kind"))
      : "nothing";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

export function encode(value: unknown): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

/** Signs any header and claims (objects, or JSON texts as they are) with an EC or Ed25519 key. */
export function forge(header: unknown, claims: unknown, key: KeyObject): string {
  const input = `${encode(header)}.${encode(claims)}`;
  const signature =
    key.asymmetricKeyType === "ed25519"
      ? sign(null, Buffer.from(input), key)
      : createSign("sha256").update(input).sign({ key, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

export interface TestApplication extends ApplicationIssuer {
  readonly key: KeyObject;
  refetches: number;
}

/** A remote application `app-1` with one key. */
export function testApplication(audiences: readonly string[] = ["authkit"]): TestApplication {
  const key = generatePrivateKey("ES256");
  const keys: ReadonlyMap<string, VerificationKey> = buildKeySet(
    { active: { kid: "app-1", privateKey: key }, others: new Map() },
    "none",
    new Date(0),
  ).byKid;
  return {
    applicationId: "019f0000-0000-7000-8000-0000000000bb",
    slug: "tenant",
    issuer: "https://app.example.net",
    audiences,
    key,
    refetches: 0,
    keys: async () => keys,
    async refetch() {
      this.refetches++;
      return true;
    },
  };
}

export function resolverOf(
  application: ApplicationIssuer,
  authority: Partial<ApplicationAuthority> = {},
): RemoteApplicationResolver {
  return {
    byIssuer: async (asked) => (asked === application.issuer ? application : undefined),
    authority: async () => ({
      permissions: ["org:*:read", "org:models:invoke"],
      persona: "org",
      instanceSlug: "acme",
      ...authority,
    }),
  };
}
