import {
  drive,
  type Line,
  logins,
  type Measured,
  refreshes,
  repeat,
  type Scenario,
  signIn,
} from "../bench.ts";
import { issuer, rateOf } from "../services.ts";

/** Password logins as fast as the hashing workers go, against the library in a bare loop on as many processes. */
export const login: Scenario = {
  name: "login",
  async run(bench) {
    const { duration, hashingWorkers, users } = bench.options;
    const lines: Line[] = [];
    for (let round = 0; round < 2; round++) {
      const raw = await rateOf("hash-loop.ts", [bench.argon2, String(duration)], hashingWorkers);
      const ours = await drive({
        url: bench.cluster.url,
        connections: hashingWorkers * 4,
        duration,
        servers: [bench.cluster.pid],
        conversation: (index) => logins(users, index),
      });
      const ratio = ours.rate / raw;
      // Each loop keeps one core busy, so its rate is its cost; the generator and the database have no part in this ratio.
      const bareMicros = (hashingWorkers * 1e6) / raw;
      lines.push({
        path: "POST /password/login",
        ours,
        raw,
        against: "hashes in a bare loop",
        ratio,
        budget: "≥ 0.90",
        met: ratio >= 0.9,
        note: `bare ${bareMicros.toFixed(0)} µs/hash: ${(bareMicros / ours.cpuMicros).toFixed(2)} by the server's CPU`,
      });
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
      const first = bench.takeSessions(connections);
      const raw = await rateOf("refresh-loop.ts", [
        bench.databaseUrl,
        issuer,
        String(duration),
        String(connections),
        String(first),
      ]);
      const sessions = bench.takeSessions(connections);
      const ours = await drive({
        url: bench.cluster.url,
        connections,
        duration,
        servers: [bench.cluster.pid],
        conversation: (index) => refreshes(sessions + index),
      });
      const ratio = ours.rate / raw;
      lines.push({
        path: "POST /token",
        ours,
        raw,
        against: "bare SQL loop",
        ratio,
        budget: "≥ 0.60",
        met: ratio >= 0.6,
      });
    }
    return lines;
  },
};

/** Light routes at a steady rate while logins flood in, against the same without the flood. */
export const storm: Scenario = {
  name: "storm",
  async run(bench) {
    const { duration, hashingWorkers, users } = bench.options;
    const token = await signIn(bench.cluster.url, 2);
    const light = (): Promise<Measured> =>
      repeat({
        url: bench.cluster.url,
        connections: 10,
        duration,
        rate: 500,
        servers: [bench.cluster.pid],
        request: { method: "GET", path: "/api/v1/me", headers: { authorization: `Bearer ${token}` } },
      });
    const idle = await light();
    const flood = drive({
      url: bench.cluster.url,
      connections: hashingWorkers * 24,
      duration: duration + 2,
      servers: [bench.cluster.pid],
      conversation: (index) => logins(users, index),
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const during = await light();
    const stormed = await flood;
    // autocannon measures whole milliseconds.
    const ratio = Math.max(during.p99, 1) / Math.max(idle.p99, 1);
    return [
      { path: "GET /me, 500/s, idle", ours: idle },
      {
        path: "GET /me, 500/s, during a login storm",
        ours: during,
        raw: idle.p99,
        against: "ms p99 idle",
        ratio,
        budget: "≤ 3",
        met: ratio <= 3,
      },
      { path: "the storm: POST /password/login", ours: stormed },
    ];
  },
};

/** The mix of an ordinary day: of fifteen requests one login, eight refreshes, two `/me`, four key documents. */
export const mix: Scenario = {
  name: "mix",
  async run(bench) {
    const { duration, users } = bench.options;
    const connections = 15;
    const sessions = bench.takeSessions(connections);
    const token = await signIn(bench.cluster.url, 3);
    const ours = await drive({
      url: bench.cluster.url,
      connections,
      duration,
      servers: [bench.cluster.pid],
      conversation(index) {
        const refreshing = refreshes(sessions + index);
        const signing = logins(users, index);
        let step = index;
        let last = "";
        return {
          next() {
            const turn = step++ % 15;
            last = turn === 0 ? "login" : turn <= 8 ? "refresh" : "read";
            if (turn === 0) return signing.next();
            if (turn <= 8) return refreshing.next();
            if (turn <= 10)
              return { method: "GET", path: "/api/v1/me", headers: { authorization: `Bearer ${token}` } };
            return { method: "GET", path: "/.well-known/jwks.json" };
          },
          answered(status, body) {
            if (last === "refresh") refreshing.answered?.(status, body);
          },
        };
      },
    });
    return [{ path: "mix 1 login : 8 refresh : 2 /me : 4 JWKS", ours }];
  },
};

/** Refreshes under the default rate-limit policy, each connection a client address of its own. */
export const policy: Scenario = {
  name: "policy",
  async run(bench) {
    const { duration } = bench.options;
    const limited = await bench.startCluster({
      limited: true,
      env: { AUTHKIT_TRUSTED_PROXIES: "127.0.0.1/32" },
    });
    try {
      const connections = 32;
      const sessions = bench.takeSessions(connections * 2);
      let address = 0;
      const run = (url: string, pid: number, from: number): Promise<Measured> =>
        drive({
          url,
          connections,
          duration,
          servers: [pid],
          conversation(index) {
            const conversation = refreshes(from + index);
            return {
              next() {
                const request = conversation.next();
                const n = address++;
                const client = `9.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;
                return { ...request, headers: { ...request.headers, "x-forwarded-for": client } };
              },
              answered: (status, body) => conversation.answered?.(status, body),
            };
          },
        });
      const free = await run(bench.cluster.url, bench.cluster.pid, sessions);
      const ours = await run(limited.url, limited.pid, sessions + connections);
      return [
        {
          path: "POST /token, default limits on",
          ours,
          raw: free.rate,
          against: "with limits off",
          ratio: ours.rate / free.rate,
        },
      ];
    } finally {
      await limited.stop();
    }
  },
};
