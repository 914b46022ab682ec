import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AuthError, type Client, JsonNumber, PreciseDate } from "../../../src/client/index.ts";
import type { HandlerTable } from "../../../src/management/context.ts";

export interface ClientUnderTest {
  readonly client: Client;
  stop(): Promise<void>;
}

/** What the scripted server saw; `undefined` arguments mean the call never came. */
interface Seen {
  args: unknown;
  calls: number;
  aborted: boolean;
}

const user = {
  id: "019f0000-0000-7000-8000-0000000000aa",
  email: "a@example.com",
  phoneNumber: null,
  username: "a",
  discordUsername: null,
  emailVerified: true,
  phoneVerified: false,
  bannedAt: null,
  bannedUntil: null,
  banReason: null,
  bannedBy: null,
  deletedAt: null,
  biography: "<b>&\u2028",
  createdAt: new PreciseDate(Date.UTC(2026, 0, 2, 3, 4, 5, 678), 901_000),
  updatedAt: new Date(Date.UTC(2026, 0, 2)),
  lastLogin: null,
};

function scripted(seen: Seen): HandlerTable {
  const saw = (args: unknown): void => {
    seen.args = args;
    seen.calls += 1;
  };
  return {
    createUser: async (args) => {
      saw(args);
      return user;
    },
    banUser: async (args) => {
      saw(args);
      throw new AuthError("invalid_until");
    },
    getEmailByUserId: async (args) => {
      saw(args);
      if (seen.calls < 3) throw new AuthError("service_unavailable", { retryAfter: 0 });
      return "a@example.com";
    },
    patchUserMetadata: async (args) => {
      saw(args);
      throw new AuthError("service_unavailable", { retryAfter: 0 });
    },
    getUserMetadata: async () => ({ large: new JsonNumber("12345678901234567890"), list: [1, { a: null }] }),
    listUserSessions: async () => [],
    exchangeRefreshToken: async (args) => {
      saw(args);
      return { accessToken: "access", expiresAt: new Date(1_000), refreshToken: "refresh" };
    },
    usersByIds: async (args) => {
      saw(args);
      return [{ id: "1", username: "u", email: "e" }];
    },
    verifyUserPassword: async () => {
      throw new AuthError("server_busy");
    },
    isUserAllowed: async () => {
      throw new Error("relation users does not exist");
    },
    cleanupExpiredAuthState: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          seen.aborted = true;
          reject(signal.reason);
        });
      }),
  };
}

async function failure(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  return expect.unreachable("the call succeeded");
}

/** The behaviour every client has, whatever carries its calls. `retries` tells whether the transport repeats reads. */
export function describeClient(
  name: string,
  start: (handlers: HandlerTable) => Promise<ClientUnderTest>,
  { retries }: { readonly retries: boolean },
): void {
  describe(name, () => {
    const seen: Seen = { args: undefined, calls: 0, aborted: false };
    let under: ClientUnderTest;

    beforeAll(async () => {
      under = await start(scripted(seen));
    });
    afterAll(() => under.stop());
    beforeEach(() => {
      Object.assign(seen, { args: undefined, calls: 0, aborted: false });
    });

    test("arguments arrive, results come back complete and precise", async () => {
      const created = await under.client.createUser({ email: "a@example.com", username: "a" });
      expect(seen.args).toEqual({ email: "a@example.com", username: "a" });
      expect(created).toEqual({ ...user, preferredLanguage: null, avatarUrl: null });
      expect(created.createdAt).toBeInstanceOf(PreciseDate);
      expect(created.createdAt).toMatchObject({ subMillisecond: 901_000 });
    });

    test("several results have names; a nullable list is null; free JSON keeps its numbers", async () => {
      expect(await under.client.exchangeRefreshToken({ refreshToken: "r", ua: "", ip: "192.0.2.1" })).toEqual(
        {
          accessToken: "access",
          expiresAt: new Date(1_000),
          refreshToken: "refresh",
        },
      );
      expect(seen.args).toEqual({ refreshToken: "r", ua: "", ip: "192.0.2.1" });
      expect(await under.client.listUserSessions({ userId: "u" })).toBeNull();
      expect(await under.client.getUserMetadata({ userId: "u" })).toEqual({
        large: new JsonNumber("12345678901234567890"),
        list: [1, { a: null }],
      });
      expect(await under.client.usersByIds({ ids: ["1"] })).toEqual([{ id: "1", username: "u", email: "e" }]);
    });

    test("refusals are AuthErrors with the server's code", async () => {
      const error = await failure(under.client.banUser({ userId: "u", bannedBy: "" }));
      expect(error).toBeInstanceOf(AuthError);
      expect(error).toMatchObject({ code: "invalid_until", status: 422 });
      expect(seen.args).toEqual({ userId: "u", reason: null, until: null, bannedBy: "" });
    });

    test("faults and methods not built", async () => {
      expect(await failure(under.client.isUserAllowed({ userId: "u" }))).toMatchObject({
        code: "internal_error",
      });
      expect(await failure(under.client.unbanUser({ userId: "u" }))).toMatchObject({
        code: "not_implemented",
      });
    });

    test("what cannot be encoded is refused before anything is sent", async () => {
      const error = await failure(under.client.patchUserMetadata({ userId: "u", patch: { at: Number.NaN } }));
      expect(error).toBeInstanceOf(TypeError);
      expect(seen.calls).toBe(0);
    });

    test("NUL is refused", async () => {
      const error = await failure(under.client.createUser({ email: "a\u0000b", username: "" }));
      expect(error).toMatchObject({ code: "invalid_request", status: 400 });
      expect(seen.calls).toBe(0);
    });

    test("methods that cannot fail answer the zero value", async () => {
      expect(await under.client.verifyUserPassword({ userId: "u", pass: "p" })).toBe(false);
      expect(await under.client.listEntitlements({ userId: "u" })).toBeNull();
      expect(await under.client.hasEmailSender()).toBe(false);
    });

    test("reads are repeated where the transport can fail, changes never", async () => {
      const read = under.client.getEmailByUserId({ id: "u" });
      if (retries) expect(await read).toBe("a@example.com");
      else expect(await failure(read)).toMatchObject({ code: "service_unavailable" });
      expect(seen.calls).toBe(retries ? 3 : 1);
      seen.calls = 0;
      expect(await failure(under.client.patchUserMetadata({ userId: "u", patch: {} }))).toMatchObject({
        code: "service_unavailable",
      });
      expect(seen.calls).toBe(1);
    });

    test("an abort of the caller's reaches the handler and comes back as itself", async () => {
      const controller = new AbortController();
      const reason = new Error("enough");
      const call = failure(under.client.cleanupExpiredAuthState({ signal: controller.signal }));
      setTimeout(() => controller.abort(reason), 100);
      expect(await call).toBe(reason);
      await expect.poll(() => seen.aborted).toBe(true);
      expect(await failure(under.client.cleanupExpiredAuthState({ signal: AbortSignal.abort(reason) }))).toBe(
        reason,
      );
    });

    test("no reply in time", async () => {
      const error = await failure(under.client.cleanupExpiredAuthState({ timeoutMs: 100 }));
      expect(error).toMatchObject({ code: "service_unavailable", message: "remote: no reply in time" });
      await expect.poll(() => seen.aborted).toBe(true);
    });
  });
}
