import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Config } from "../../../src/config/config.ts";
import { createMessages, type Message, type MessageService } from "../../../src/core/messages/index.ts";
import { createDeliveries, type Deliveries } from "../../../src/jobs/deliveries/index.ts";
import { deliveryQueueDefinitions } from "../../../src/jobs/deliveries/queues.ts";
import { createBus } from "../../../src/platform/bus/index.ts";
import type { Bus } from "../../../src/platform/bus/port.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import { createEphemeralStore } from "../../../src/platform/ephemeral/index.ts";
import { createLog } from "../../../src/platform/log/pino.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { createMetrics } from "../../../src/platform/metrics/prometheus.ts";
import { postgresClientConfig } from "../../../src/platform/postgres/index.ts";
import { sql } from "../../../src/platform/postgres/port.ts";
import {
  createJobQueue,
  type JobQueue,
  type JobRunner,
  migrateQueue,
  startJobRunner,
} from "../../../src/platform/queue/index.ts";
import { systemRandom } from "../../../src/platform/random.ts";
import { testConfig } from "../../support/config.ts";
import { type SmtpSink, startSmtpSink, waitForMessage } from "../../support/smtp.ts";
import { type FakeTwilio, startTwilio } from "../../support/twilio.ts";
import { openTestDatabase, type TestDatabase } from "../platform/backends.ts";

let postgres: TestDatabase;
let sink: SmtpSink;
let twilio: FakeTwilio;
let bus: Bus;
let queue: JobQueue;
let deliveries: Deliveries;
let runner: JobRunner;
let messages: MessageService;
let config: Config;
const lines: string[] = [];
const log = createLog(
  { level: "debug", pretty: false },
  { worker: "jobs", write: (line) => void lines.push(line) },
);

const mail = (to: string, more: Partial<Message> = {}): Message => ({
  kind: "contact_verify",
  channel: "email",
  to,
  language: "en",
  username: "ana",
  code: "483920",
  url: messages.link("verify", { channel: "email", token: "secret-link-token" }),
  ttlSeconds: 600,
  ...more,
});

async function eventually(check: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error("did not come true in time");
    await sleep(25);
  }
}

beforeAll(async () => {
  postgres = await openTestDatabase();
  sink = await startSmtpSink();
  twilio = await startTwilio();
  const { accountSid, authToken, messagingServiceSid, url } = twilio;
  config = testConfig(
    { databaseUrl: postgres.url },
    {
      senders: {
        mail: { kind: "smtp", url: sink.url, from: "auth@example.org", password: undefined },
        sms: { kind: "twilio", accountSid, authToken, messagingServiceSid, baseUrl: url },
      },
    },
  );
  const { database } = postgres;
  const connection = { connectionString: postgres.url };
  await migrateQueue({
    connection,
    schema: database.schema,
    queues: deliveryQueueDefinitions,
    log: silentLog,
  });
  bus = createBus(
    { redis: undefined, postgres: postgresClientConfig(config.database), schema: database.schema },
    silentLog,
    systemRandom,
    { name: "test" },
  );
  const ephemeral = createEphemeralStore({ redis: undefined, database });
  queue = createJobQueue(database, silentLog);
  const platform = { config, queue, clock: systemClock, random: systemRandom, ephemeral, bus, log };
  messages = createMessages(platform);
  await messages.start();
  deliveries = createDeliveries(platform);
  runner = await startJobRunner({
    database,
    jobs: deliveries.jobs,
    log,
    metrics: createMetrics("jobs"),
  });
});
afterAll(async () => {
  await runner?.stop(5_000);
  await deliveries?.close();
  await messages?.close();
  await queue?.close();
  await bus?.close();
  await sink?.stop();
  await twilio?.stop();
  await postgres?.drop();
});

const unfinished = sql(
  "test.unfinishedJobs",
  (s) =>
    `SELECT count(*)::int AS count FROM ${s.replace(/"$/, '_jobs"')}.job WHERE state IN ('created', 'retry', 'active')`,
);
const idle = async (): Promise<boolean> =>
  (await postgres.database.row<{ count: number }>(unfinished))?.count === 0;

describe("delivery through the queue", () => {
  test("a mail arrives with code and link", async () => {
    await messages.send(mail("first@example.com"));
    const carried = await waitForMessage(sink, "first@example.com");
    expect(carried).toMatchObject({
      subject: "Verify your Auth account",
      code: "483920",
      link: "http://localhost:8080/verify?channel=email&token=secret-link-token",
      token: "secret-link-token",
    });
    expect(carried.text).toContain("Valid for 10 minutes.");
  });

  test("an SMS arrives in the language of the message", async () => {
    await messages.send({
      kind: "login_code",
      channel: "sms",
      to: "+12025550123",
      language: "es",
      code: "112233",
      ttlSeconds: 600,
    });
    const carried = await twilio.waitFor("+12025550123");
    expect(carried).toMatchObject({ text: "Auth codigo de acceso: 112233", code: "112233", link: "" });
  });

  test("what lies in the queue is unreadable", async () => {
    const payloads = sql("test.payloads", (s) => `SELECT data::text FROM ${s.replace(/"$/, '_jobs"')}.job`);
    await messages.send(mail("sealed@example.com"));
    const rows = await postgres.database.rows<{ data: string }>(payloads);
    expect(rows.length).toBeGreaterThan(0);
    for (const { data } of rows) expect(data).toMatch(/^\{"sealed": "v1\.[\w-]+"\}$/);
    await sink.waitFor("sealed@example.com");
  });

  test("a rolled back transaction sends nothing, a committed one does", async () => {
    const failing = postgres.database.transaction(async (tx) => {
      await messages.send(mail("rolled-back@example.com"), tx);
      throw new Error("no");
    });
    await expect(failing).rejects.toThrow("no");
    await postgres.database.transaction((tx) => messages.send(mail("committed@example.com"), tx));
    await sink.waitFor("committed@example.com");
    await eventually(idle);
    expect(sink.messages().some(({ to }) => to.includes("rolled-back@example.com"))).toBe(false);
  });

  test("one key sends once, at the same time and later", async () => {
    const one = mail("keyed@example.com", { key: "key-of-a-message" });
    await Promise.all(Array.from({ length: 50 }, () => messages.send(one)));
    await sink.waitFor("keyed@example.com");
    await eventually(idle);
    await messages.send(one);
    await eventually(idle);
    expect(sink.messages().filter(({ to }) => to.includes("keyed@example.com"))).toHaveLength(1);
  });

  test("a refusal is final and does not hold up others", async () => {
    sink.fail(550, 1);
    const before = sink.refused();
    await messages.send(mail("unknown@example.com"));
    await eventually(() => sink.refused() === before + 1);
    await eventually(idle);
    expect(sink.messages().some(({ to }) => to.includes("unknown@example.com"))).toBe(false);
    expect(lines.some((line) => line.includes("message refused by the provider"))).toBe(true);
  });

  test("a temporary answer is tried again", async () => {
    sink.fail(451, 2);
    await messages.send(mail("patient@example.com"));
    await waitForMessage(sink, "patient@example.com", 30_000);
    await eventually(idle);
    expect(sink.messages().filter(({ to }) => to.includes("patient@example.com"))).toHaveLength(1);
  });

  test("a dead message is dropped, a living one waits for the server: none lost, none doubled", async () => {
    const { port } = sink;
    const earlier = sink.messages();
    await sink.stop();
    const living = Array.from({ length: 12 }, (_, i) => `waiting${i}@example.com`);
    await Promise.all([
      messages.send(mail("dead@example.com", { ttlSeconds: 1 })),
      ...living.map((to) => messages.send(mail(to))),
    ]);
    await eventually(() => lines.filter((line) => line.includes("will be tried again")).length >= 12);
    sink = await startSmtpSink({ port });
    await Promise.all(living.map((to) => waitForMessage(sink, to, 30_000)));
    await eventually(idle, 30_000);
    const after = sink.messages().flatMap(({ to }) => to);
    expect(after.toSorted()).toEqual(living.toSorted());
    expect(earlier.length).toBeGreaterThan(0);
  });

  test("neither codes, links nor addresses reach the log", () => {
    const text = lines.join("");
    expect(text).toContain("message sent");
    for (const secret of ["483920", "112233", "secret-link-token", "+12025550123"])
      expect(text).not.toContain(secret);
    expect(text).not.toMatch(/\w@example\.com/);
  });
});

describe("SMS health", () => {
  test("a verdict reaches every process and later ones, until the next check", async () => {
    const ephemeral = createEphemeralStore({ redis: undefined, database: postgres.database });
    const platform = {
      config,
      queue,
      clock: systemClock,
      random: systemRandom,
      ephemeral,
      bus,
      log: silentLog,
    };
    const other = createMessages(platform);
    await other.start();
    expect([messages.available("sms"), other.available("sms")]).toEqual([true, true]);

    twilio.state.accountStatus = "suspended";
    expect(await messages.checkSmsHealth()).toBe("the Twilio account is not active");
    expect(messages.available("sms")).toBe(false);
    await eventually(() => !other.available("sms"));
    expect([other.configured("sms"), other.available("email")]).toEqual([true, true]);
    const late = createMessages(platform);
    await late.start();
    expect(late.available("sms")).toBe(false);

    twilio.state.accountStatus = "active";
    expect(await other.checkSmsHealth()).toBeUndefined();
    await eventually(() => messages.available("sms") && late.available("sms"));
    await Promise.all([other.close(), late.close()]);
  });
});

describe("without senders", () => {
  test("nothing is accepted", async () => {
    const none = { ...config, senders: { ...config.senders, mail: undefined, sms: undefined } };
    const ephemeral = createEphemeralStore({ redis: undefined, database: postgres.database });
    const platform = { config: none, queue, clock: systemClock, random: systemRandom, ephemeral, bus, log };
    const mute = createMessages(platform);
    expect([mute.available("email"), mute.available("sms")]).toEqual([false, false]);
    await expect(mute.send(mail("nobody@example.com"))).rejects.toMatchObject({
      code: "email_sender_unavailable",
    });
    await expect(mute.send(mail("+1", { channel: "sms" }))).rejects.toMatchObject({
      code: "sms_unavailable",
    });
    expect(await mute.checkSmsHealth()).toBeUndefined();
    const before = lines.length;
    mute.validateVerification();
    mute.validateVerification();
    expect(lines.length - before).toBe(1);
    const demanding = createMessages({
      ...platform,
      config: { ...none, registration: { ...none.registration, verification: "required" } },
    });
    expect(() => demanding.validateVerification()).toThrow(
      expect.objectContaining({
        code: 'authkit: registration verification policy is "required" but no email or SMS sender is configured',
      }),
    );
  });
});
