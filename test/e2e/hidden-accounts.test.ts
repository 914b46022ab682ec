import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { api, behindProxy, messagesTo, messageTo, newPerson, type Person } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call } from "../support/http.ts";

let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_HIDE_EXISTING_ACCOUNTS: "true",
      AUTHKIT_REGISTRATION_VERIFICATION: "required",
      AUTHKIT_RATE_LIMITS: "off",
    },
  });
});
afterAll(() => cluster.stop());

type Channel = "email" | "phone";
const channels = ["email", "phone"] as const;
const member = { email: "email", phone: "phone_number" } as const;

const post = (path: string, body: unknown, more: { bearer?: string } = {}) =>
  api(cluster, path, { method: "POST", body, ...more });

/** What somebody at the other end sees of an answer. */
async function seen(reply: ReturnType<typeof post>): Promise<unknown> {
  const { status, body, code } = await reply;
  return { status, body, code };
}

const register = (identifier: string, { username, password } = newPerson()) =>
  post("/register", { identifier, username, password });

const login = (identifier: string, password: string) =>
  post("/password/login", { login: identifier, password });

async function nameOf(username: string): Promise<unknown> {
  return (await api(cluster, `/register/availability?username=${username}`)).body["username"];
}

/** Somebody whose contact is verified. */
async function settled(channel: Channel): Promise<Person & { readonly accessToken: string }> {
  const person = newPerson();
  await register(person[channel], person);
  const { token } = await messageTo(cluster, person[channel]);
  const reply = await post(`/${channel}/verify/confirm`, { token });
  expect([reply.status, reply.code]).toEqual([200, undefined]);
  return { ...person, accessToken: String(reply.body["access_token"]) };
}

/** One address nobody has, one whose registration waits, one that is an account's, and one of an account that never verified it. */
async function addresses(channel: Channel): Promise<Readonly<Record<string, string>>> {
  const [free, pending, taken, unverified] = [newPerson(), newPerson(), await settled(channel), newPerson()];
  await register(pending[channel], pending);
  await messageTo(cluster, pending[channel]);
  const made = await call(cluster, "CreateUser", { email: unverified.email, username: unverified.username });
  expect(made.status).toBe(200);
  return {
    free: free[channel],
    pending: pending[channel],
    taken: taken[channel],
    ...(channel === "email" ? { unverified: unverified.email } : {}),
  };
}

/** The answers for all kinds of addresses are one answer. */
async function alike(channel: Channel, ask: (address: string) => Promise<unknown>): Promise<unknown> {
  const answers = new Map<string, unknown>();
  for (const [kind, address] of Object.entries(await addresses(channel)))
    answers.set(kind, JSON.parse(JSON.stringify(await ask(address)).replaceAll(address, "<address>")));
  const [first] = answers.values();
  expect(Object.fromEntries(answers)).toEqual(
    Object.fromEntries([...answers.keys()].map((kind) => [kind, first])),
  );
  return first;
}

describe.each(channels)("by %s", (channel) => {
  it("a registration takes the name, whether or not the address is somebody's", async () => {
    const answer = await alike(channel, async (address) => {
      const person = newPerson();
      const before = await nameOf(person.username);
      const reply = await seen(register(address, person));
      const held = await nameOf(person.username.toUpperCase());
      const second = await seen(register(newPerson()[channel], person));
      const again = await seen(register(address, person));
      const all = { before, reply, held, second, again };
      return JSON.parse(JSON.stringify(all).replaceAll(person.username, "<name>"));
    });
    expect(answer).toMatchObject({
      before: { available: true },
      reply: { status: 202 },
      held: { available: false, error: "username_in_use" },
      second: { status: 400, code: "username_in_use" },
      again: { status: 202 },
    });
  });

  it("a name that is held or taken is refused, whether or not the address is somebody's", async () => {
    const holder = newPerson();
    await register(holder.email, holder);
    const { username } = await settled(channel);
    const held = await alike(channel, (address) =>
      seen(register(address, { ...newPerson(), username: holder.username })),
    );
    expect(held).toMatchObject({ status: 400, code: "username_in_use" });
    const taken = await alike(channel, (address) => seen(register(address, { ...newPerson(), username })));
    expect(taken).toMatchObject({ status: 400, code: "owner_slug_taken" });
  });

  it("what follows a registration does not tell whether there was one", async () => {
    const answer = await alike(channel, async (address) => {
      const person = { ...newPerson(), password: "of nobody who has an account" };
      await register(address, person);
      const signIn = await seen(login(address, person.password));
      const resend = await seen(post(`/register/resend-${channel}`, { [member[channel]]: address }));
      const abandon = await seen(
        post("/register/abandon", { identifier: address, password: person.password }),
      );
      return { signIn, resend, abandon, name: await nameOf(person.username) };
    });
    expect(answer).toMatchObject({
      signIn: { status: 401, code: "invalid_credentials" },
      resend: { status: 202, body: { ok: true } },
      abandon: { status: 200, body: { ok: true } },
      name: { available: false, error: "username_in_use" },
    });
  });

  it("asking again for a message is accepted for every address", async () => {
    for (const path of [`/register/resend-${channel}`, `/${channel}/verify/request`]) {
      const answer = await alike(channel, (address) => seen(post(path, { [member[channel]]: address })));
      expect(answer).toEqual({ status: 202, body: { ok: true } });
    }
  });

  it("a code or link that does not work is refused for one reason only", async () => {
    const path = `/${channel}/verify/confirm`;
    const byCode = await alike(channel, (address) =>
      seen(post(path, { code: "000000", [member[channel]]: address })),
    );
    expect(byCode).toMatchObject({ status: 400, code: "invalid_or_expired_code" });
    const token = "x".repeat(43);
    const byToken = await alike(channel, (address) => seen(post(path, { token, identifier: address })));
    expect(byToken).toMatchObject({ status: 400, code: "invalid_or_expired_token" });
    const person = newPerson();
    await register(person[channel], person);
    const { token: used } = await messageTo(cluster, person[channel]);
    expect((await post(path, { token: used })).status).toBe(200);
    for (const dead of [used, token])
      for (const identifier of ["", "x", person[channel], newPerson()[channel]])
        expect(await seen(post(path, { token: dead, identifier }))).toEqual(byToken);
  });

  it("availability says the same of every address", async () => {
    const answer = await alike(channel, async (address) => {
      const query = new URLSearchParams({ [member[channel]]: address });
      return (await api(cluster, `/register/availability?${query}`)).body;
    });
    expect(answer).toEqual({ [member[channel]]: { available: true } });
  });

  it("changing one's contact to somebody else's is begun like any other change", async () => {
    const answer = await alike(channel, async (address) => {
      const { accessToken: bearer } = await settled(channel);
      const ask = { [member[channel]]: address };
      const requested = await seen(post(`/${channel}/verify/request`, ask, { bearer }));
      const confirmed = await seen(
        post(`/${channel}/verify/confirm`, { ...ask, code: "000000" }, { bearer }),
      );
      return { requested, confirmed };
    });
    expect(answer).toMatchObject({
      requested: { status: 202 },
      confirmed: { status: 400, code: "invalid_or_expired_code" },
    });
  });
});

it("the owner of an address hears of the attempt, and its account stays as it was", async () => {
  const owner = await settled("email");
  await messageTo(cluster, owner.email);
  const stranger = newPerson();
  expect((await register(owner.email, stranger)).status).toBe(202);
  const { text, code, token } = await messageTo(cluster, owner.email, 2);
  expect(text).toContain("tried to use this address");
  expect([code, token]).toEqual(["", ""]);
  expect((await login(owner.email, owner.password)).status).toBe(200);
  expect((await login(owner.email, `${stranger.password}x`)).status).toBe(401);
  expect(await messagesTo(cluster, owner.email)).toHaveLength(2);
});

it("whoever registers last gets what is asked for last: nobody plants a password for somebody else", async () => {
  const [planter, owner] = [newPerson(), newPerson()];
  await register(owner.email, { ...planter, password: "the planter's password" });
  const planted = await messageTo(cluster, owner.email);
  expect((await register(` ${owner.email.toUpperCase()} `, owner)).status).toBe(202);
  const { token } = await messageTo(cluster, owner.email, 2);
  expect((await post("/email/verify/confirm", { token: planted.token })).code).toBe(
    "invalid_or_expired_token",
  );
  expect((await post("/email/verify/confirm", { token })).status).toBe(200);
  expect((await login(owner.email, owner.password)).status).toBe(200);
  expect((await login(owner.email, "the planter's password")).status).toBe(401);
});

it("a registration that was abandoned cannot be confirmed, and whoever made it may take the name again", async () => {
  const person = newPerson();
  await register(person.email, person);
  const { token } = await messageTo(cluster, person.email);
  await post("/register/abandon", { email: person.email, password: "another password" });
  await post("/register/abandon", { email: person.email, password: person.password });
  expect((await post("/email/verify/confirm", { token })).code).toBe("invalid_or_expired_token");
  expect((await register(person.email, person)).status).toBe(202);
  const { token: second } = await messageTo(cluster, person.email, 2);
  expect((await post("/email/verify/confirm", { token: second })).status).toBe(200);
  expect((await login(person.username, person.password)).status).toBe(200);
});
