import { drive, logins, refreshes, type Scenario, signIn } from "../bench.ts";

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
