import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import { api, newPerson } from "../support/accounts.ts";
import { startCluster } from "../support/cluster.ts";
import { type Dweller, doors, type House, resultOf, settle } from "../support/doors.ts";
import { type OpenHouse, openHouse } from "../support/house.ts";
import { call, request, type TestReply } from "../support/http.ts";

interface Setting extends OpenHouse {
  readonly sql: pg.Client;
}

async function open(env: Record<string, string> = {}): Promise<Setting> {
  const house = await openHouse((acme) => `limits: { enabled: false }\nproviders:\n  - ${acme}\n`, env);
  const sql = new pg.Client({ connectionString: house.cluster.databaseUrl });
  await sql.connect();
  return {
    ...house,
    sql,
    async close() {
      await sql.end();
      await house.close();
    },
  };
}

function must(reply: TestReply): TestReply {
  if (reply.status >= 300) throw new Error(`${reply.status} ${reply.text}`);
  return reply;
}

/** What every door says, and those that differ: by their nature, not by accident. */
interface State {
  make(setting: Setting, who: Dweller): Promise<void>;
  readonly outcome: string;
  readonly except?: Readonly<Record<string, string>>;
}

const ban = async ({ cluster }: Setting, { id }: Dweller, until: string | null): Promise<void> =>
  void must(await call(cluster, "BanUser", { userID: id, reason: "test", until, bannedBy: "" }));
const passwords = ["password by e-mail", "password by username"];
const refreshes = ["refresh token", "refresh token of a back end"];
const each = (names: readonly string[], outcome: string): Record<string, string> =>
  Object.fromEntries(names.map((name) => [name, outcome]));
/** Sessions have ended: the token is nobody's. */
const ended = each(refreshes, "invalid_refresh_token");

/** A passkey names its account only to whoever may use it: its refusals are all alike (spec 21 §8.6). */
const barred = { ...ended, passkey: "invalid_credentials" };

const states: Readonly<Record<string, State>> = {
  "in order": { make: async () => undefined, outcome: "session" },
  banned: { make: (setting, who) => ban(setting, who, null), outcome: "user_banned", except: barred },
  "banned for a while": {
    make: (setting, who) => ban(setting, who, new Date(Date.now() + 3_600_000).toISOString()),
    outcome: "user_banned",
    except: barred,
  },
  "banned until a moment ago": {
    async make(setting, who) {
      await ban(setting, who, new Date(Date.now() + 3_600_000).toISOString());
      await setting.sql.query(
        "UPDATE profiles.users SET banned_until = now() - interval '1 second' WHERE id = $1",
        [who.id],
      );
    },
    outcome: "session",
    except: ended,
  },
  deleted: {
    make: async ({ cluster }, { id }) => void must(await call(cluster, "SoftDeleteUser", { id })),
    outcome: "user_banned",
    except: barred,
  },
  "bound to reset the password": {
    async make({ cluster }, { id }) {
      must(
        await call(cluster, "UpsertPasswordHash", {
          userID: id,
          hash: "!",
          algo: "legacy-reset-required",
          params: null,
        }),
      );
    },
    outcome: "session",
    except: each(passwords, "password_reset_required"),
  },
  "without a password": {
    make: async ({ sql }, { id }) =>
      void (await sql.query("DELETE FROM profiles.user_passwords WHERE user_id = $1", [id])),
    outcome: "session",
    except: each(passwords, "invalid_credentials"),
  },
  "with a second factor": {
    async make({ cluster }, { accessToken: bearer }) {
      const started = must(await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer }));
      const code = totpCode(String(started.body["secret"]), Math.floor(Date.now() / 1000 / totpPeriod) - 1);
      must(await api(cluster, "/user/2fa", { body: { method: "totp", code }, bearer }));
    },
    outcome: "challenge",
    // A passkey with user verification is two factors already, and the session that enrolled the factor has shown it.
    except: { passkey: "session", ...each(refreshes, "session") },
  },
};

describe("accounts of every state, by every door", () => {
  let setting: Setting;
  beforeAll(async () => {
    setting = await open();
  });
  afterAll(() => setting?.close());

  for (const [name, state] of Object.entries(states)) {
    for (const [door, enter] of Object.entries(doors)) {
      const outcome = state.except?.[door] ?? state.outcome;
      test(`${name}, ${door}: ${outcome}`, async () => {
        const who = await settle(setting);
        await state.make(setting, who);
        expect(resultOf(await enter(setting, who))).toBe(outcome);
      });
    }
  }

  test.each(["banned", "deleted"])(
    "%s: what was handed out before is refused at once, and no reset leads in",
    async (name) => {
      const who = await settle(setting);
      await states[name]?.make(setting, who);
      const me = await request(`${setting.cluster.api}/me`, { bearer: who.accessToken });
      expect(me.status).toBe(401);
      const allowed = await call(setting.cluster, "IsUserAllowed", { userID: who.id });
      expect(allowed.body["result"]).toBe(false);
    },
  );
});

describe("where a second factor is mandatory", () => {
  let setting: Setting;
  beforeAll(async () => {
    setting = await open({ AUTHKIT_2FA_MODE: "optional" });
  });
  afterAll(() => setting?.close());

  test("whoever has none is led to enrolment, by every door", async () => {
    const people = new Map<string, Dweller>();
    for (const door of Object.keys(doors)) people.set(door, await settle(setting));
    // The same database under the stricter rule.
    const { cluster } = setting;
    const port = new URL(cluster.url).port;
    cluster.process.kill("SIGTERM");
    await cluster.exited;
    const strict = await startCluster({
      env: { ...cluster.env, AUTHKIT_2FA_MODE: "required" },
      databaseUrl: cluster.databaseUrl,
      url: `http://127.0.0.1:${port}`,
    });
    try {
      // Everybody gets a message here, the first ones from a jobs worker that has just started.
      const house: House = { ...setting, cluster: strict, messageSeconds: 20 };
      const outcomes: Record<string, string> = {};
      for (const [door, who] of people) outcomes[door] = resultOf(await Object(doors)[door](house, who));
      const expected = Object.fromEntries([...people.keys()].map((door) => [door, "enrolment"]));
      expect(outcomes).toEqual({ ...expected, passkey: outcomes["passkey"] });
      expect(["session", "enrolment"]).toContain(outcomes["passkey"]);
      await isAskedToEnrol(house, [...people.values()][0] ?? expect.unreachable());
    } finally {
      await strict.stop();
    }
  });
});

/** A token from before, or from a back end, opens nothing but enrolment. */
async function isAskedToEnrol({ cluster }: House, { id }: Dweller): Promise<void> {
  const minted = must(await call(cluster, "IssueAccessToken", { userID: id, email: "", extra: null }));
  const bearer = String(Object(minted.body["result"]).r0);
  for (const [method, path] of [
    ["GET", "/me"],
    ["GET", "/user/sessions"],
    ["DELETE", "/logout"],
  ] as const) {
    const reply = await api(cluster, path, { method, bearer });
    expect([reply.status, reply.code], path).toEqual([403, "2fa_enrollment_required"]);
    expect(Object(reply.body["error"]).metadata).toEqual({
      requires_2fa_enrollment: true,
      allowed_methods: ["email", "sms", "totp"],
    });
  }
  expect((await api(cluster, "/user/2fa", { bearer })).status).toBe(200);
}

describe("where an address must be proven first", () => {
  let setting: Setting;
  beforeAll(async () => {
    setting = await open({ AUTHKIT_REGISTRATION_VERIFICATION: "required" });
  });
  afterAll(() => setting?.close());

  test("a pending registration is no account: its password leads to the proof, no other door knows it", async () => {
    const { cluster } = setting;
    const { email, username, password } = newPerson();
    must(await api(cluster, "/register", { body: { identifier: email, username, password } }));
    for (const body of [
      { email, password },
      { login: username, password },
    ]) {
      const reply = await api(cluster, "/password/login", { body });
      expect(reply.body).not.toHaveProperty("access_token");
      expect([
        "email_not_verified",
        "verification_required",
        "invalid_credentials",
        "email_verification_required",
      ]).toContain(reply.code ?? "verification_required");
    }
    expect((await call(cluster, "GetUserByEmail", { email })).status).not.toBe(200);
  });

  test("an account whose address is not proven yet gets no session by its password", async () => {
    const { cluster } = setting;
    const { email, username, password } = newPerson();
    const made = must(await call(cluster, "CreateUser", { email, username }));
    const userID = String(Object(made.body["result"]).ID);
    must(await call(cluster, "AdminSetPassword", { userID, new: password }));
    for (const body of [
      { email, password },
      { login: username, password },
    ]) {
      const reply = await api(cluster, "/password/login", { body });
      expect(reply.body).not.toHaveProperty("access_token");
      expect(reply.status).toBeLessThan(500);
    }
  });
});
