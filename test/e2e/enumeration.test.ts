import pg from "pg";
import { afterAll, beforeAll, expect, it } from "vitest";
import { api, behindProxy, newPerson, type Person, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import type { TestReply } from "../support/http.ts";

/** A hash heavy enough that leaving it out shows. */
const argon2 = "m=32768,t=1,p=1";
const pairs = 24;

let cluster: TestCluster;
let known: Person[];
beforeAll(async () => {
  cluster = await startCluster({
    env: { ...behindProxy, AUTHKIT_ARGON2: argon2, AUTHKIT_HTTP_WORKERS: "1" },
  });
  known = [];
  for (let n = 0; n < pairs; n++) known.push(await registered(cluster));
});
afterAll(() => cluster.stop());

interface Timed {
  readonly reply: TestReply;
  readonly ms: number;
}

async function timed(work: () => Promise<TestReply>): Promise<Timed> {
  const began = performance.now();
  const reply = await work();
  return { reply, ms: performance.now() - began };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Asks alternately about somebody known and somebody unknown, so that whatever else the machine does meets both alike. */
async function compare(ask: (person: Person) => Promise<TestReply>) {
  const [ofKnown, ofUnknown]: [Timed[], Timed[]] = [[], []];
  await ask(newPerson());
  for (const person of known) {
    ofKnown.push(await timed(() => ask(person)));
    ofUnknown.push(await timed(() => ask(newPerson())));
  }
  return {
    known: ofKnown,
    unknown: ofUnknown,
    medians: [median(ofKnown.map(({ ms }) => ms)), median(ofUnknown.map(({ ms }) => ms))] as const,
  };
}

/** Less than half of the work that could be left out. */
function expectAlike([a, b]: readonly [number, number], slack: number): void {
  expect(Math.abs(a - b)).toBeLessThan(Math.max(slack, 0.35 * Math.max(a, b)));
}

function bodies(replies: readonly Timed[]): Set<string> {
  return new Set(replies.map(({ reply }) => `${reply.status} ${reply.text}`));
}

it.each(["email", "username"] as const)(
  "GHSA-6f65-4fv2-wwch: a login by %s says as much about nobody as about somebody",
  async (by) => {
    const result = await compare((person) =>
      api(cluster, "/password/login", { body: { login: person[by], password: "a wrong password" } }),
    );
    expect(bodies(result.known)).toEqual(bodies(result.unknown));
    expect(bodies(result.known).size).toBe(1);
    expect(result.known[0]?.reply.code).toBe("invalid_credentials");
    expectAlike(result.medians, 4);
  },
);

it("asking for a password reset takes the same time for everybody", async () => {
  const result = await compare((person) =>
    api(cluster, "/email/password/reset/request", { body: { email: person.email } }),
  );
  expect(bodies(result.known)).toEqual(bodies(result.unknown));
  expect(result.known[0]?.reply.status).toBe(202);
  expectAlike(result.medians, 3);
});

it("a registration costs its hash whether the address is taken or not", async () => {
  // Addresses given to the accounts from behind: registering them again meets no limit of their own.
  const sql = new pg.Client({ connectionString: cluster.databaseUrl });
  await sql.connect();
  for (const { username, phone } of known)
    await sql.query("UPDATE profiles.users SET phone_number = $2 WHERE username = $1", [username, phone]);
  await sql.end();
  const result = await compare(({ phone }) => {
    const { username, password } = newPerson();
    return api(cluster, "/register", { body: { identifier: phone, username, password } });
  });
  expect(new Set(result.known.map(({ reply }) => reply.code))).toEqual(new Set(["phone_in_use"]));
  expect(new Set(result.unknown.map(({ reply }) => reply.status))).toEqual(new Set([202]));
  // A success writes an account and a session on top; what must not happen is that a taken address is answered without the hash.
  const login = await compare(({ username }) =>
    api(cluster, "/password/login", { body: { login: `${username}y`, password: "a wrong password" } }),
  );
  expect(result.medians[0]).toBeGreaterThan(0.6 * login.medians[1]);
});

it("giving up a registration costs a hash whether there is one or not", async () => {
  const result = await compare(({ email }) =>
    api(cluster, "/register/abandon", { body: { email, password: "a wrong password" } }),
  );
  expect(bodies(result.known)).toEqual(bodies(result.unknown));
  const [, nobody] = result.medians;
  const login = await compare((person) =>
    api(cluster, "/password/login", { body: { login: `${person.username}x`, password: "a wrong password" } }),
  );
  expectAlike([nobody, login.medians[1]], 4);
});
