import { drive, type Measured, refreshes, type Scenario } from "../bench.ts";

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
      const [ours, observed] = await bench.observe(
        () => run(limited.url, limited.pid, sessions + connections),
        limited,
      );
      return [
        {
          path: "POST /token, default limits on",
          ours,
          observed,
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
