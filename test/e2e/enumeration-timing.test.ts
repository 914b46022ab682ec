import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { api, behindProxy, messageTo, newPerson, type Person } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { expectIndistinguishable, median, sampled } from "../support/distributions.ts";
import type { TestReply } from "../support/http.ts";

const pairs = 24;

let cluster: TestCluster;
const settled: Person[] = [];
const pending: Person[] = [];

const post = (path: string, body: unknown): Promise<TestReply> =>
  api(cluster, path, { method: "POST", body });
const register = ({ email, username, password }: Person): Promise<TestReply> =>
  post("/register", { identifier: email, username, password });

beforeAll(async () => {
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_HIDE_EXISTING_ACCOUNTS: "true",
      AUTHKIT_REGISTRATION_VERIFICATION: "required",
      AUTHKIT_PASSWORDLESS: "true",
      AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true",
      AUTHKIT_RATE_LIMITS: "off",
      // Heavy enough that leaving a hash out shows.
      AUTHKIT_ARGON2: "m=32768,t=1,p=1",
      AUTHKIT_HTTP_WORKERS: "1",
    },
  });
  for (let n = 0; n < pairs; n++) {
    const [one, other] = [newPerson(), newPerson()];
    await register(one);
    await register(other);
    settled.push(one);
    pending.push(other);
  }
  for (const { email } of settled) {
    const { token } = await messageTo(cluster, email);
    expect((await post("/email/verify/confirm", { token })).status).toBe(200);
  }
  await Promise.all(pending.map(({ email }) => messageTo(cluster, email)));
});
afterAll(() => cluster.stop());

/** Ways to ask about an address, and what each is answered. */
const doors: Readonly<
  Record<string, { readonly ask: (who: Person) => Promise<TestReply>; readonly status: number }>
> = {
  register: { ask: ({ email }) => register({ ...newPerson(), email }), status: 202 },
  "login with a wrong password": {
    ask: ({ email }) => post("/password/login", { email, password: "a wrong password" }),
    status: 401,
  },
  "password reset request": {
    ask: ({ email }) => post("/email/password/reset/request", { email }),
    status: 202,
  },
  "passwordless start": { ask: ({ email }) => post("/passwordless/start", { email }), status: 202 },
  "resend of a registration": {
    ask: ({ email }) => post("/register/resend-email", { email }),
    status: 202,
  },
  "verification request": { ask: ({ email }) => post("/email/verify/request", { email }), status: 202 },
  "confirmation with a wrong code": {
    ask: ({ email }) => post("/email/verify/confirm", { email, code: "none" }),
    status: 400,
  },
  "confirmation with a dead link": {
    ask: ({ email }) => post("/email/verify/confirm", { email, token: "x".repeat(43) }),
    status: 400,
  },
  "giving a registration up": {
    ask: ({ email }) => post("/register/abandon", { email, password: "a wrong password" }),
    status: 200,
  },
  availability: {
    ask: ({ email }) => api(cluster, `/register/availability?email=${encodeURIComponent(email)}`),
    status: 200,
  },
};

describe.each([
  ["an account's", settled],
  ["of a registration that waits", pending],
] as const)("whether an address is %s or nobody's", (_kind, people) => {
  it.each(Object.keys(doors))("cannot be told from the time it takes: %s", async (name) => {
    const door = doors[name];
    if (door === undefined) throw new Error("no such door");
    const answers = new Set<string>();
    const asked = (who: Person) => async (): Promise<void> => {
      const reply = await door.ask(who);
      expect(reply.status).toBe(door.status);
      const { email, username: _name, ...rest } = reply.body;
      answers.add(JSON.stringify({ ...rest, email: typeof email }));
    };
    await asked(newPerson())();
    await expectIndistinguishable(() =>
      sampled(people.map((who) => [asked(who), asked(newPerson())] as const)),
    );
    expect([...answers]).toHaveLength(1);
  });
});

it("cannot be told from a login with the password just registered", async () => {
  const tried = (identify: () => string) => async (): Promise<void> => {
    const stranger = { ...newPerson(), password: "the stranger's password" };
    await register({ ...stranger, email: identify() });
  };
  for (const who of settled) await tried(() => who.email)();
  const fresh = settled.map(() => ({ ...newPerson(), password: "the stranger's password" }));
  for (const who of fresh) await register(who);
  await Promise.all(fresh.map(({ email }) => messageTo(cluster, email)));
  const login =
    ({ email }: Person) =>
    async (): Promise<void> => {
      const reply = await post("/password/login", { email, password: "the stranger's password" });
      expect([reply.status, reply.code]).toEqual([401, "invalid_credentials"]);
    };
  await expectIndistinguishable(() =>
    sampled(settled.map((who, n) => [login(who), login(fresh[n] ?? who)] as const)),
  );
});

it("would be told where a hash is left out", async () => {
  // Shows that what the tests above compare is large enough to be seen.
  const one = newPerson();
  const { ofFirst, ofSecond } = await sampled(
    settled.map(({ email }) => [
      () => post("/password/login", { email, password: "a wrong password" }),
      () => post("/password/login", { email: one.email, password: "" }),
    ]),
  );
  expect(median(ofFirst)).toBeGreaterThan(2 * median(ofSecond));
});
