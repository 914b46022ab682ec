import { inject } from "vitest";
import type { UserPrincipal } from "../../../src/core/authentication/principal.ts";
import { createLoginCompletion } from "../../../src/core/login/completion.ts";
import type { Message } from "../../../src/core/messages/types.ts";
import { createNotices } from "../../../src/core/notices/index.ts";
import { createPasskeys } from "../../../src/core/passkeys/index.ts";
import { createEphemeralStore } from "../../../src/platform/ephemeral/index.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { connectRedis } from "../../../src/platform/redis/connection.ts";
import { type AuthenticatorOptions, SoftwareAuthenticator } from "../../support/authenticator.ts";
import { type ConfigOverrides, testConfig } from "../../support/config.ts";
import { addUser, context, openFixture as openUsers } from "../users/fixture.ts";

export const origin = "https://auth.example.com";
const settings = {
  passkeys: {
    rpId: "auth.example.com",
    rpName: "Example",
    origins: [origin],
    userVerification: "required",
    maxPerUser: 20,
  },
} as const;

export type Fixture = Awaited<ReturnType<typeof openFixture>>;

/** Passkeys over real PostgreSQL and Redis. */
export async function openFixture(overrides: ConfigOverrides = {}) {
  const built = await openUsers({ ...settings, ...overrides });
  const redisKeyPrefix = `pk${process.pid}-${Date.now()}:`;
  const redisConfig = testConfig({ redisUrl: inject("redisUrl"), redisKeyPrefix }).redis;
  if (redisConfig === undefined) throw new Error("no Redis configured");
  const redis = connectRedis(redisConfig, silentLog, { name: "test" });
  const ephemeral = createEphemeralStore({ redis, database: built.database });
  const sent: Message[] = [];
  const assemble = ({
    users,
    sessions,
    audit,
    platform,
  }: Pick<typeof built, "users" | "sessions" | "audit" | "platform">) =>
    createPasskeys(
      { ...platform, ephemeral },
      {
        users,
        audit,
        notices: createNotices(
          { available: () => true, send: async (message) => void sent.push(message) },
          users,
          platform.log,
        ),
        completion: createLoginCompletion({
          newDevices: { notice: async () => undefined },
          users,
          sessions,
          secondFactors: { begin: () => Promise.reject(new Error("a passkey is no first factor")) },
          verification: { holdBack: () => Promise.reject(new Error("a passkey needs no verified contact")) },
        }),
      },
    );
  return {
    ...built,
    ephemeral,
    sent,
    passkeys: assemble(built),
    under: (changes: ConfigOverrides) => assemble(built.with({ ...settings, ...changes })),
    async close() {
      await redis.close();
      await built.close();
    },
  };
}

/** What the operations need of a signed-in user. */
export function principal(userId: string): UserPrincipal {
  return {
    kind: "user",
    userId,
    sessionId: undefined,
    authTime: undefined,
    amr: [],
    acr: undefined,
    mfaEnrolled: false,
    enrollment: false,
    entitlements: null,
    claims: {},
  };
}

/** An account with a passkey. */
export async function withPasskey(
  f: Pick<Fixture, "users" | "database" | "passkeys">,
  options: Partial<AuthenticatorOptions> = {},
  overrides: Parameters<typeof addUser>[1] = {},
) {
  const user = await addUser(f, overrides);
  const authenticator = new SoftwareAuthenticator({ origin, ...options });
  const begun = await f.passkeys.beginRegistration(principal(user.id));
  const passkey = await f.passkeys.finishRegistration(
    principal(user.id),
    authenticator.create(begun),
    context(),
  );
  return { user, authenticator, passkey };
}

export { addUser, context, refusal } from "../users/fixture.ts";
