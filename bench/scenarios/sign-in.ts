import { drive, type Line, logins, refreshes, type Scenario } from "../bench.ts";
import { issuer, rateOf } from "../services.ts";
import { beside, onlyRate } from "../turns.ts";

/** Clients that keep a hashing process busy: one whose hash is computed, the others on their way to it. */
export const connectionsForEachHasher = 4;

/**
 * Password logins as fast as the hashing workers go, against two raw limits, each in a bare loop on as many processes: `@node-rs/argon2`, which
 * is what most servers use and what the budget was made with, and the kernel the server hashes with, which is the harder of the two.
 */
export const login: Scenario = {
  name: "login",
  async run(bench) {
    const { duration, hashingWorkers, users } = bench.options;
    const bare = (...kernel: readonly string[]): Promise<number> =>
      rateOf("hash-loop.ts", [bench.argon2, String(duration), ...kernel], hashingWorkers);
    const lines: Line[] = [];
    for (let round = 0; round < 2; round++) {
      const raw = await bare();
      const [ours, observed] = await bench.observe(() =>
        drive({
          url: bench.cluster.url,
          connections: hashingWorkers * connectionsForEachHasher,
          duration,
          servers: [bench.cluster.pid],
          conversation: (index) => logins(users, index),
        }),
      );
      const usual = await bare("@node-rs/argon2");
      const ratio = ours.rate / raw;
      // Each loop keeps one core busy, so its rate is its cost; the generator and the database have no part in this ratio.
      const bareMicros = (hashingWorkers * 1e6) / raw;
      lines.push(
        {
          ...{ path: "POST /password/login", ours, observed },
          ...{ raw: usual, against: "hashes of @node-rs/argon2 in a bare loop", ratio: ours.rate / usual },
          ...{ budget: "≥ 0.90", met: ours.rate / usual >= 0.9 },
          note: "the library most servers use",
        },
        {
          path: `the same ${ours.rate.toFixed(1)} logins/s`,
          ...{ raw, against: "hashes of the server's own kernel in a bare loop", ratio },
          note: `bare ${bareMicros.toFixed(0)} µs/hash: ${(bareMicros / ours.cpuMicros).toFixed(2)} by the server's CPU`,
        },
      );
    }
    return lines;
  },
};

/** The native kernel against the one with prebuilt binaries, in turns; nothing where it is not built. */
export const kernels: Scenario = {
  name: "kernels",
  async run(bench) {
    const rate = (kernel: string): Promise<number> =>
      rateOf("hash-loop.ts", [bench.argon2, String(bench.options.duration), kernel]);
    const native = await rate("native").catch(() => undefined);
    if (native === undefined) return [];
    const lines: Line[] = [];
    for (let round = 0; round < 2; round++) {
      const prebuilt = await rate("@node-rs/argon2");
      const ours = round === 0 ? native : await rate("native");
      lines.push({
        path: `native kernel, ${ours.toFixed(1)} hashes/s`,
        ...{ raw: prebuilt, against: "@node-rs/argon2", ratio: ours / prebuilt },
        ...{ budget: "≥ 1.40", met: ours / prebuilt >= 1.4 },
      });
    }
    return lines;
  },
};

/** Refreshes of many sessions, against the same two statements in a bare loop on as many connections. */
export const refresh: Scenario = {
  name: "refresh",
  async run(bench) {
    const { connections, duration } = bench.options;
    const lines: Line[] = [];
    for (let round = 0; round < 2; round++) {
      const measured = await beside(
        bench,
        duration,
        async (seconds) => {
          const first = bench.takeSessions(connections);
          const numbers = [seconds, connections, first].map(String);
          return onlyRate(await rateOf("refresh-loop.ts", [bench.databaseUrl, issuer, ...numbers]), seconds);
        },
        (seconds) => {
          const sessions = bench.takeSessions(connections);
          return drive({
            ...{ url: bench.cluster.url, connections, duration: seconds, servers: [bench.cluster.pid] },
            conversation: (index) => refreshes(sessions + index),
          });
        },
      );
      lines.push({
        ...{ path: "POST /token", against: "bare SQL loop" },
        ...{ ...measured, budget: "≥ 0.60", met: measured.ratio >= 0.6 },
      });
    }
    return lines;
  },
};
