import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, drive, emailOf, type Line, post, repeat, type Scenario, signIn } from "../bench.ts";
import { managementToken, type Service, startProgram } from "../services.ts";

/** Measurements of ours and of the raw limit in turns, so that a noisy neighbour meets both. */
const rounds = 2;

/** Runs work beside a bare server on the same database. */
export async function withBareServer<T>(bench: Bench, work: (bare: Service) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "authkit-bench-bytes-"));
  const file = join(directory, "jwks.json");
  const jwks = await fetch(`${bench.cluster.url}/.well-known/jwks.json`);
  await writeFile(file, Buffer.from(await jwks.arrayBuffer()));
  const bare = await startProgram("bare-server.ts", [bench.databaseUrl, file]);
  try {
    return await work(bare);
  } finally {
    await bare.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

/** The key document against the same bytes from a server that does nothing else. */
export const jwks: Scenario = {
  name: "jwks",
  run: (bench) =>
    withBareServer(bench, async (bare) => {
      const { connections, duration } = bench.options;
      const load = { connections, duration };
      const lines: Line[] = [];
      for (let round = 0; round < rounds; round++) {
        const raw = await repeat({
          ...load,
          url: bare.url,
          servers: [bare.pid],
          request: { method: "GET", path: "/static" },
        });
        const [ours, observed] = await bench.observe(() =>
          repeat({
            ...load,
            url: bench.cluster.url,
            servers: [bench.cluster.pid],
            request: { method: "GET", path: "/.well-known/jwks.json" },
          }),
        );
        const ratio = ours.rate / raw.rate;
        lines.push({
          path: "GET /.well-known/jwks.json",
          ours,
          observed,
          raw: raw.rate,
          against: "bare uWebSockets.js",
          ratio,
          budget: "≥ 0.90",
          met: ratio >= 0.9,
          note: `bare ${raw.cpuMicros.toFixed(1)} µs/req`,
        });
      }
      return lines;
    }),
};

/** `/me`: signature, revocation set, one indexed read. */
export const me: Scenario = {
  name: "me",
  async run(bench) {
    const { connections, duration } = bench.options;
    const token = await signIn(bench.cluster.url, 1);
    const [ours, observed] = await bench.observe(() =>
      repeat({
        url: bench.cluster.url,
        connections,
        duration,
        servers: [bench.cluster.pid],
        request: { method: "GET", path: "/api/v1/me", headers: { authorization: `Bearer ${token}` } },
      }),
    );
    return [{ path: "GET /me", ours, observed }];
  },
};

/** A trivial management call through the forwarder, against the same statement behind a bare handler. */
export const management: Scenario = {
  name: "management",
  run: (bench) =>
    withBareServer(bench, async (bare) => {
      const { connections, duration } = bench.options;
      const lines: Line[] = [];
      for (let round = 0; round < rounds; round++) {
        const raw = await drive({
          url: bare.url,
          connections,
          duration,
          servers: [bare.pid],
          conversation: () => ({ next: () => post("/user", { email: emailOf(1) }) }),
        });
        const [ours, observed] = await bench.observe(() =>
          drive({
            url: bench.cluster.url,
            connections,
            duration,
            servers: [bench.cluster.pid],
            conversation: () => ({
              next: () =>
                post(
                  "/v1/call/GetUserByEmail",
                  { email: emailOf(1) },
                  { authorization: `Bearer ${managementToken}` },
                ),
            }),
          }),
        );
        const ratio = ours.rate / raw.rate;
        lines.push({
          path: "POST /v1/call/GetUserByEmail",
          ours,
          observed,
          raw: raw.rate,
          against: "bare handler, same SQL",
          ratio,
          budget: "≥ 0.70",
          met: ratio >= 0.7,
          note: `bare ${raw.cpuMicros.toFixed(1)} µs/req`,
        });
      }
      return lines;
    }),
};
