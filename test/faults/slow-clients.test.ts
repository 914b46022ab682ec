import { readdirSync } from "node:fs";
import type { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { request } from "../support/http.ts";
import { registers } from "../support/journey.ts";
import { until } from "../support/outcome.ts";
import { residentBytes, workersOf } from "../support/processes.ts";
import { open } from "../support/raw-http.ts";

const clients = 500;
const mebi = 1024 * 1024;

let cluster: TestCluster;

beforeAll(async () => {
  cluster = await startCluster({ env: { AUTHKIT_CONFIG: await unlimited() } });
});
afterAll(() => cluster?.stop());

/** Resident memory of the workers that clients talk to, MB. */
const memory = (): number =>
  workersOf(cluster.pid, "http").reduce((sum, pid) => sum + residentBytes(pid), 0) / mebi;

/** Open files and connections of the same workers. */
const descriptors = (): number =>
  workersOf(cluster.pid, "http").reduce((sum, pid) => sum + readdirSync(`/proc/${pid}/fd`).length, 0);

interface SlowClient {
  readonly socket: Socket;
  received: number;
  /** The first bytes of what came back. */
  head: string;
  closed: boolean;
}

async function connect(): Promise<SlowClient> {
  const socket = await open(cluster.url);
  const client: SlowClient = { socket, received: 0, head: "", closed: false };
  socket.on("error", () => undefined);
  socket.on("close", () => {
    client.closed = true;
  });
  return client;
}

function reads(client: SlowClient): void {
  client.socket.on("data", (chunk: Buffer) => {
    client.received += chunk.length;
    if (client.head.length < 200) client.head += chunk.toString("latin1");
  });
}

/** Milliseconds within which nine of ten requests of an honest client are answered, one connection each. */
async function honest(): Promise<number> {
  const times: number[] = [];
  for (let index = 0; index < 40; index++) {
    const began = performance.now();
    const reply = await request(`${cluster.url}/.well-known/jwks.json`, { headers: { connection: "close" } });
    times.push(performance.now() - began);
    expect(reply.status).toBe(200);
  }
  expect(await registers(cluster)).toBe(true);
  return times.toSorted((one, other) => one - other)[35] ?? Number.POSITIVE_INFINITY;
}

/** Lets so many clients be slow; others must be served as before, and memory stay where it was. */
async function withSlowClients(
  start: (client: SlowClient) => void,
  during: (all: readonly SlowClient[]) => Promise<void>,
): Promise<void> {
  const usual = await honest();
  const before = memory();
  const all = await Promise.all(Array.from({ length: clients }, connect));
  try {
    for (const client of all) start(client);
    await sleep(1_000);
    expect(await honest()).toBeLessThan(usual * 10 + 200);
    let most = memory();
    const sampling = setInterval(() => {
      most = Math.max(most, memory());
    }, 250);
    await during(all).finally(() => clearInterval(sampling));
    // A tenth of a megabyte each, and room for a heap that has not been collected.
    expect(most - before).toBeLessThan(clients * 0.1 + 40);
  } finally {
    for (const { socket } of all) socket.destroy();
  }
  expect(await registers(cluster)).toBe(true);
}

/** Writes something once a second for as long as the connection lives. */
function drip(client: SlowClient, text: string): void {
  const timer = setInterval(() => {
    if (client.closed) clearInterval(timer);
    else client.socket.write(text);
  }, 1_000);
}

const closed = (all: readonly SlowClient[]) => () => all.every((client) => client.closed);

test("heads that never end: the connections are closed", async () => {
  await withSlowClients(
    (client) => {
      reads(client);
      client.socket.write("GET /healthz HTTP/1.1\r\nHost: a\r\n");
      drip(client, "X-A: b\r\n");
    },
    (all) => until("all are closed", 60, closed(all)),
  );
}, 180_000);

test("nothing at all: the connections are closed", async () => {
  await withSlowClients(reads, (all) => until("all are closed", 60, closed(all)));
}, 180_000);

test("bodies of a byte a second: answered as bodies that cannot be read, and the connections are closed", async () => {
  await withSlowClients(
    (client) => {
      reads(client);
      client.socket.write(
        "POST /api/v1/password/login HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{",
      );
      drip(client, " ");
    },
    async (all) => {
      await until("all are answered", 90, () => all.every(({ head }) => head !== ""));
      expect(new Set(all.map(({ head }) => head.slice(0, 12)))).toEqual(new Set(["HTTP/1.1 400"]));
      await until("all are closed", 90, closed(all));
    },
  );
}, 300_000);

test.each([
  ["/.well-known/jwks.json", 2_000],
  ["/openapi.json", 50],
  ["/nowhere", 2_000],
])(
  "answers that nobody reads, of %s asked for %i times over: the connections are closed",
  async (path, times) => {
    const before = descriptors();
    await withSlowClients(
      ({ socket }) => {
        socket.pause();
        socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`.repeat(times));
      },
      // Whoever does not read does not see the end either: the server's side tells.
      () => until("all are closed", 200, () => descriptors() < before + clients / 10),
    );
  },
  300_000,
);

test("five hundred requests at once from a client that reads: all are answered on its one connection", async () => {
  const times = 500;
  const client = await connect();
  let text = "";
  client.socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  client.socket.write("GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n".repeat(times));
  const answers = (): number => text.split("HTTP/1.1 200 OK\r\n").length - 1;
  await until("every answer", 20, () => answers() === times);
  expect(client.closed).toBe(false);
  client.socket.destroy();
});
