import {
  type Bench,
  type Conversation,
  drive,
  logins,
  type Measured,
  type NextRequest,
  refreshes,
  repeat,
  type Scenario,
  signIn,
} from "../bench.ts";
import { connectionsForEachHasher } from "./sign-in.ts";

/** How many of fifteen requests are what. */
const shares = { login: 1, refresh: 8, me: 2, keySet: 4 } as const;
const turns = 15;
const connections = turns;

const keySet: NextRequest = { method: "GET", path: "/.well-known/jwks.json" };

const profile = (token: string): NextRequest => ({
  ...{ method: "GET", path: "/api/v1/me" },
  headers: { authorization: `Bearer ${token}` },
});

/** One connection's day: its own accounts sign in, its own session is refreshed. */
function ordinaryDay(users: number, session: number, index: number, token: string): Conversation {
  const refreshing = refreshes(session);
  const signing = logins(users, index);
  let step = index;
  let refreshed = false;
  return {
    next() {
      const turn = step++ % turns;
      refreshed = turn >= shares.login && turn < shares.login + shares.refresh;
      if (refreshed) return refreshing.next();
      if (turn < shares.login) return signing.next();
      return turn < turns - shares.keySet ? profile(token) : keySet;
    },
    answered(status, body) {
      if (refreshed) refreshing.answered?.(status, body);
    },
  };
}

/** CPU microseconds that a request of the mix would cost if each part cost what it costs alone. */
async function predictedMicros(bench: Bench, token: string): Promise<number> {
  const { duration, hashingWorkers, users } = bench.options;
  const load = { url: bench.cluster.url, duration, servers: [bench.cluster.pid] };
  const sessions = bench.takeSessions(connections);
  const alone: Record<keyof typeof shares, Measured> = {
    login: await drive({
      ...{ ...load, connections: hashingWorkers * connectionsForEachHasher },
      conversation: (index) => logins(users, index),
    }),
    refresh: await drive({
      ...{ ...load, connections },
      conversation: (index) => refreshes(sessions + index),
    }),
    me: await repeat({ ...load, connections, request: profile(token) }),
    keySet: await repeat({ ...load, connections, request: keySet }),
  };
  const { login, refresh, me, keySet: set } = shares;
  const sum =
    login * alone.login.cpuMicros +
    refresh * alone.refresh.cpuMicros +
    me * alone.me.cpuMicros +
    set * alone.keySet.cpuMicros;
  return sum / turns;
}

/**
 * The mix of an ordinary day: of fifteen requests one login, eight refreshes, two `/me`, four key documents. The ratio is the cost of its parts,
 * each measured alone, by the cost of the mix: 1 where they do not hinder each other.
 */
export const mix: Scenario = {
  name: "mix",
  async run(bench) {
    const { duration, users } = bench.options;
    const token = await signIn(bench.cluster.url, 3);
    const predicted = await predictedMicros(bench, token);
    const sessions = bench.takeSessions(connections);
    const [ours, observed] = await bench.observe(() =>
      drive({
        ...{ url: bench.cluster.url, connections, duration, servers: [bench.cluster.pid] },
        conversation: (index) => ordinaryDay(users, sessions + index, index, token),
      }),
    );
    return [
      {
        ...{ path: "mix 1 login : 8 refresh : 2 /me : 4 JWKS", ours, observed },
        ...{ raw: predicted, against: "µs/req by its parts alone", ratio: predicted / ours.cpuMicros },
      },
    ];
  },
};
