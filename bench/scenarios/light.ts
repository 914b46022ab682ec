import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, emailOf, type Line, post, repeat, type Scenario, signIn } from "../bench.ts";
import { managementToken, type Service, startProgram } from "../services.ts";
import { beside, conversationsBeside } from "../turns.ts";

/** Each is measured so often. */
const rounds = 2;
const bearer = { authorization: `Bearer ${managementToken}` };

/** Headers that uWebSockets.js writes by itself, and of the connection. */
const writtenByEngine: ReadonlySet<string> = new Set(["content-length", "date", "connection", "keep-alive"]);

/** Runs work beside a bare server on the same database. */
export async function withBareServer<T>(bench: Bench, work: (bare: Service) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "authkit-bench-answer-"));
  const file = join(directory, "jwks.json");
  const jwks = await fetch(`${bench.cluster.url}/.well-known/jwks.json`);
  const headers = [...jwks.headers].filter(([name]) => !writtenByEngine.has(name));
  await writeFile(file, JSON.stringify({ headers, body: await jwks.text() }));
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
      const lines: Line[] = [];
      for (let round = 0; round < rounds; round++) {
        const measured = await beside(
          bench,
          duration,
          (seconds) =>
            repeat({
              ...{ connections, duration: seconds, url: bare.url, servers: [bare.pid] },
              request: { method: "GET", path: "/static" },
            }),
          (seconds) =>
            repeat({
              ...{ connections, duration: seconds, url: bench.cluster.url, servers: [bench.cluster.pid] },
              request: { method: "GET", path: "/.well-known/jwks.json" },
            }),
        );
        lines.push({
          ...{ path: "GET /.well-known/jwks.json", against: "bare uWebSockets.js" },
          ...{ ...measured, budget: "≥ 0.90", met: measured.ratio >= 0.9 },
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
      const lines: Line[] = [];
      for (let round = 0; round < rounds; round++) {
        const email = emailOf(1);
        const measured = await conversationsBeside(
          bench,
          bare,
          () => ({ next: () => post("/user", { email }) }),
          () => ({ next: () => post("/v1/call/GetUserByEmail", { email }, bearer) }),
        );
        lines.push({
          ...{ path: "POST /v1/call/GetUserByEmail", against: "bare handler, same SQL" },
          ...{ ...measured, budget: "≥ 0.70", met: measured.ratio >= 0.7 },
        });
      }
      return lines;
    }),
};
