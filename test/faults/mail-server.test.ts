import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { api, newPerson } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { until } from "../support/outcome.ts";
import { workersOf } from "../support/processes.ts";
import { type SmtpSink, startSmtpSink, waitForMessage } from "../support/smtp.ts";

let sink: SmtpSink;
let cluster: TestCluster;

beforeAll(async () => {
  sink = await startSmtpSink();
  cluster = await startCluster({
    env: {
      AUTHKIT_CONFIG: await unlimited(),
      AUTHKIT_SMTP_URL: sink.url,
      AUTHKIT_MAIL_FROM: "auth@example.com",
      AUTHKIT_PASSWORDLESS: "true",
      AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true",
      AUTHKIT_REGISTRATION_VERIFICATION: "required",
      AUTHKIT_VERIFICATION_SEND_TIMEOUT: "2s",
    },
  });
});
afterAll(async () => {
  await cluster?.stop();
  await sink?.stop();
});

/** Addresses asked for in the test that runs. */
let asked: string[];
beforeEach(() => {
  asked = [];
});

/** Seconds within which a message is there once the server can be reached again: pauses between attempts grow to a minute. */
const boundSeconds = 90;

/** Registers somebody who has to confirm the address. */
async function register(): Promise<string> {
  const { email, username, password } = newPerson();
  const reply = await api(cluster, "/register", { body: { identifier: email, username, password } });
  expect(reply.status, reply.text).toBe(202);
  asked.push(email);
  return email;
}

/** Asks for a code to sign in with. */
async function startPasswordless(): Promise<string> {
  const { email } = newPerson();
  const reply = await api(cluster, "/passwordless/start", { body: { identifier: email, mode: "code" } });
  expect(reply.status, reply.text).toBe(202);
  asked.push(email);
  return email;
}

async function askAll(count: number): Promise<void> {
  const kinds = [register, startPasswordless];
  await Promise.all(Array.from({ length: count }, (_, index) => kinds[index % kinds.length]?.()));
}

function copies(): Map<string, number> {
  const found = new Map<string, number>();
  for (const { to } of sink.messages())
    for (const address of to) found.set(address, (found.get(address) ?? 0) + 1);
  return found;
}

/** Waits for a message to everybody, and then for a second one that must not come. */
async function everyMessageOnce(): Promise<void> {
  await until("a message to everybody", boundSeconds, () => asked.every((email) => copies().has(email)));
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(asked.map((email) => copies().get(email))).toEqual(asked.map(() => 1));
}

async function confirm(email: string): Promise<void> {
  const { code } = await waitForMessage(sink, email);
  const reply = await api(cluster, "/passwordless/confirm", { body: { identifier: email, code } });
  expect(reply.status, reply.text).toBe(200);
}

test("away: every request is answered as ever and at once, and each message comes once when it is back", async () => {
  const { port } = sink;
  await sink.stop();
  const began = performance.now();
  await askAll(40);
  expect(performance.now() - began).toBeLessThan(10_000);
  await until("attempts fail", 30, () => cluster.output().includes("will be tried again"));
  sink = await startSmtpSink({ port });
  const code = await startPasswordless();
  await everyMessageOnce();
  await confirm(code);
}, 180_000);

test("restarted while messages flow: none is lost, none comes twice", async () => {
  const { port } = sink;
  const flow = askAll(60);
  await until("messages flow", 30, () => sink.messages().some(({ to }) => asked.includes(to[0] ?? "")));
  const before = sink.messages();
  await sink.stop();
  sink = await startSmtpSink({ port });
  await flow;
  // A mail whose acceptance was lost with the connection is sent again; receivers know it by its Message-ID (RFC 5321 §6.1).
  const ids = (email: string): Set<string | undefined> =>
    new Set(
      [...before, ...sink.messages()]
        .filter(({ to }) => to.includes(email))
        .map(({ headers }) => headers.get("message-id")),
    );
  await until("a message to everybody", boundSeconds, () => asked.every((email) => ids(email).size > 0));
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect(asked.map((email) => ids(email).size)).toEqual(asked.map(() => 1));
}, 180_000);

test("hanging after it has read a message: given up and tried again, others are not held up", async () => {
  sink.hold(3);
  const held = sink.held();
  await askAll(3);
  await until("three are left without an answer", 30, () => sink.held() === held + 3);
  const began = performance.now();
  await confirm(await startPasswordless());
  expect(performance.now() - began).toBeLessThan(10_000);
  await everyMessageOnce();
}, 180_000);

test("temporary refusals: tried again until it takes them", async () => {
  const refused = sink.refused();
  sink.fail(451, 10);
  await askAll(10);
  await everyMessageOnce();
  expect(sink.refused() - refused).toBe(10);
}, 180_000);

test("permanent refusals are final, and the next message to the same address is sent", async () => {
  const refused = sink.refused();
  sink.fail(550, 1);
  const email = await startPasswordless();
  await until("it is refused", 30, () => sink.refused() === refused + 1);
  // Longer than the pauses before the first repetitions.
  await new Promise((resolve) => setTimeout(resolve, 8_000));
  expect(copies().get(email)).toBeUndefined();
  expect(sink.refused() - refused).toBe(1);
  expect(cluster.output()).toContain("message refused by the provider");
  const again = await api(cluster, "/passwordless/start", { body: { identifier: email, mode: "code" } });
  expect(again.status).toBe(202);
  await confirm(email);
}, 180_000);

test("the worker that was sending is killed: another one sends, once", async () => {
  const held = sink.held();
  sink.hold(4);
  await askAll(4);
  await until("messages are being sent", 30, () => sink.held() > held);
  const [victim = 0] = workersOf(cluster.pid, "jobs");
  process.kill(victim, "SIGKILL");
  sink.hold(0);
  // The successor serves what was not begun at once; what was begun counts as lost after a minute.
  await confirm(await startPasswordless());
  await until("a message to everybody", 150, () => asked.every((email) => copies().has(email)));
  await everyMessageOnce();
}, 240_000);
