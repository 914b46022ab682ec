import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildFilter } from "../../src/core/breached-passwords/build.ts";
import { api, behindProxy, messageTo, newPerson, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { must, outcome } from "../support/expectation.ts";
import { unlimited } from "../support/faulty.ts";
import type { TestReply } from "../support/http.ts";

type Account = Awaited<ReturnType<typeof registered>>;

/** Leaked once, and on no list of common ones. */
const leaked = "correct horse battery staple 17";
const good = "an unusual new password 4711";

let cluster: TestCluster;

const member = (): Promise<Account> =>
  registered(cluster, "email", { password: "one of those nobody knows" });

const resetToken = async ({ email }: Account): Promise<string> => {
  must(await api(cluster, "/email/password/reset/request", { body: { email } }));
  return (await messageTo(cluster, email)).token;
};

/** Each way to a new password, with what it needs. */
const changes: Readonly<Record<string, () => Promise<(password: string) => Promise<TestReply>>>> = {
  "POST /register": async () => (password) => {
    const { email: identifier, username } = newPerson();
    return api(cluster, "/register", { body: { identifier, username, password } });
  },
  async "POST /user/password"() {
    const { accessToken: bearer } = await member();
    return (new_password) => api(cluster, "/user/password", { bearer, body: { new_password } });
  },
  async "POST /email/password/reset/confirm"() {
    const token = await resetToken(await member());
    return (new_password) => api(cluster, "/email/password/reset/confirm", { body: { token, new_password } });
  },
  async "POST /phone/password/reset/confirm"() {
    const token = await resetToken(await member());
    return (new_password) => api(cluster, "/phone/password/reset/confirm", { body: { token, new_password } });
  },
};

describe("where leaked passwords are refused", () => {
  beforeAll(async () => {
    const directory = await mkdtemp(join(tmpdir(), "authkit-leaked-"));
    const [list, filter] = [join(directory, "list.txt"), join(directory, "leaked.bloom")];
    await writeFile(list, `${leaked}\n`);
    const built = await buildFilter(list, { falsePositiveRate: 0.001, minCount: 1 });
    await writeFile(filter, built.toBytes());
    cluster = await startCluster({
      env: {
        ...behindProxy,
        AUTHKIT_CONFIG: await unlimited(),
        AUTHKIT_PASSWORD_BREACHED_FILTER_PATH: filter,
      },
    });
  });
  afterAll(() => cluster?.stop());

  test.each(Object.entries(changes))("%s", async (_name, prepare) => {
    const change = await prepare();
    expect(outcome(await change("short"))).toEqual([400, "password_too_short"]);
    expect(outcome(await change("password1"))).toEqual([400, "password_too_common"]);
    expect(outcome(await change(leaked))).toEqual([400, "password_breached"]);
    expect((await change(good)).status).toBeLessThan(300);
  });
});

describe("while more hashes are asked for than may wait", () => {
  beforeAll(async () => {
    cluster = await startCluster({
      env: {
        ...behindProxy,
        AUTHKIT_CONFIG: await unlimited(),
        AUTHKIT_ARGON2: "m=65536,t=6,p=1",
        AUTHKIT_HASH_QUEUE_LIMIT: "1",
      },
    });
  });
  afterAll(() => cluster?.stop());

  const verifications: typeof changes = {
    "POST /password/login": async () => (password) =>
      api(cluster, "/password/login", { body: { login: newPerson().username, password } }),
    "POST /register/abandon": async () => (password) =>
      api(cluster, "/register/abandon", { body: { identifier: newPerson().email, password } }),
    async "POST /step-up/password"() {
      const { accessToken: bearer } = await member();
      return (password) => api(cluster, "/step-up/password", { bearer, body: { password } });
    },
  };

  /** Keeps the one hashing process and its queue full until told to stop. */
  function crowd(): () => Promise<unknown> {
    let going = true;
    const login = async (): Promise<void> => {
      while (going) await api(cluster, "/password/login", { body: { login: "nobody", password: good } });
    };
    const people = Array.from({ length: 6 }, login);
    return () => {
      going = false;
      return Promise.all(people);
    };
  }

  test.each(Object.entries({ ...changes, ...verifications }))("%s", async (_name, prepare) => {
    const attempt = await prepare();
    const leave = crowd();
    let reply: TestReply | undefined;
    try {
      // One may slip into a place that has just become free.
      for (let tries = 0; tries < 20 && reply?.code !== "server_busy"; tries++) reply = await attempt(good);
    } finally {
      await leave();
    }
    expect(reply && outcome(reply)).toEqual([503, "server_busy"]);
    expect(Number(reply?.headers.get("retry-after"))).toBeGreaterThan(0);
  });
});
