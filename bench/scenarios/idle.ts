import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { type Line, type Measured, repeat, type Scenario, signIn } from "../bench.ts";
import type { Observation } from "../observation/observer.ts";
import { processTree, workerName } from "../processes.ts";
import type { ClusterService } from "../services.ts";

const mebi = 1024 * 1024;
/** Connections opened at once. */
const batch = 200;
/** Connections from one address of the loopback network: a port each, out of the kernel's 28 000. */
const fromOneAddress = 20_000;
/** Files the generator and a worker have open beside the connections. */
const otherFiles = 300;
/** Milliseconds after which what was in motion has come to rest. */
const restMs = 3_000;
/** Requests a second of the busy ones. */
const rate = 500;
const request = "GET /.well-known/jwks.json HTTP/1.1\r\nHost: bench\r\n\r\n";

/** Open files this process, and those it starts, may have (Linux). */
function openFiles(): number {
  const limit = /^Max open files +(\d+)/m.exec(readFileSync("/proc/self/limits", "utf8"))?.[1];
  return limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
}

interface Idle {
  readonly socket: Socket;
  open: boolean;
}

/** A connection that has been used once, as those of browsers are, and waits for its next request. */
function openIdle(port: number, localAddress: string): Promise<Idle> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: "127.0.0.1", port, localAddress });
    const idle = { socket, open: true };
    socket.once("connect", () => socket.write(request));
    socket.once("data", () => resolve(idle));
    socket.once("error", reject);
    socket.once("close", () => {
      idle.open = false;
      reject(new Error("a connection was closed before it was idle"));
    });
  });
}

/** Opens so many, some at a time. */
async function openMany(port: number, count: number, into: Idle[]): Promise<void> {
  for (let left = count; left > 0; left -= batch) {
    const address = `127.0.0.${1 + Math.floor(into.length / fromOneAddress)}`;
    const more = Array.from({ length: Math.min(batch, left) }, () => openIdle(port, address));
    into.push(...(await Promise.all(more)));
  }
}

/** Resident bytes of the http workers, together, once they are at rest. */
async function resident(cluster: ClusterService): Promise<number> {
  await new Promise((resolve) => setTimeout(resolve, restMs));
  return processTree(cluster.pid)
    .filter(({ pid }) => workerName(pid).startsWith("http:"))
    .reduce((sum, { rss }) => sum + rss, 0);
}

/** Memory of idle keep-alive connections, and what they cost those that are busy. */
export const idle: Scenario = {
  name: "idle",
  async run(bench) {
    const { duration, connections, idle: count } = bench.options;
    if (count === 0) return [];
    if (openFiles() < count + otherFiles)
      throw new Error(
        `--idle ${count} needs ${count + otherFiles} open files, and ${openFiles()} are allowed: ulimit -n ${count + otherFiles}`,
      );
    // A cluster of its own: heaps that have seen no load neither grow nor shrink meanwhile.
    const cluster = await bench.startCluster({});
    const port = Number(new URL(cluster.url).port);
    const open: Idle[] = [];
    const close = (): void => {
      for (const { socket } of open.splice(0)) socket.destroy();
    };
    try {
      await openMany(port, Math.min(count, batch * 2), open);
      close();
      const before = await resident(cluster);
      await openMany(port, count, open);
      const grown = (await resident(cluster)) - before;

      const token = await signIn(cluster.url, 1);
      const light = (): Promise<Measured> =>
        repeat({
          url: cluster.url,
          connections,
          duration,
          rate,
          servers: [cluster.pid],
          request: { method: "GET", path: "/api/v1/me", headers: { authorization: `Bearer ${token}` } },
        });
      // The first one compiles.
      await light();
      const [beside, observed] = await bench.observe(light, cluster);
      const alive = open.filter((one) => one.open).length;
      if (alive < count) throw new Error(`${count - alive} idle connections were closed`);
      close();
      return lines(count, { grown, beside, observed, without: await light() });
    } finally {
      close();
      await cluster.stop();
    }
  },
};

function lines(
  count: number,
  {
    grown,
    beside,
    observed,
    without,
  }: { grown: number; beside: Measured; observed: Observation; without: Measured },
): readonly Line[] {
  return [
    { path: `GET /me, ${rate}/s, no other connections`, ours: without },
    {
      path: `GET /me, ${rate}/s, beside ${count} idle connections`,
      ours: beside,
      observed,
      paced: true,
      raw: without.p99,
      against: "ms p99 without",
      // autocannon measures whole milliseconds.
      ratio: Math.max(beside.p99, 1) / Math.max(without.p99, 1),
    },
    {
      path: `RSS of ${count} idle connections`,
      raw: grown / count,
      against: "bytes each",
      note: `${(grown / mebi).toFixed(1)} MB over all http workers; the kernel's own memory is not in it`,
    },
  ];
}
