import pg from "pg";
import {
  accounts,
  type Bench,
  type Conversation,
  drive,
  type Line,
  logins,
  refreshes,
  type Scenario,
} from "../bench.ts";
import { seed } from "../seed.ts";
import { type ClusterService, issuer } from "../services.ts";
import { inTurns } from "../turns.ts";
import { connectionsForEachHasher } from "./sign-in.ts";

/** One of the two sides: a cluster on its own database. */
interface Side {
  readonly cluster: ClusterService;
  readonly users: number;
  /** The session whose turn it is; each has its turn once before one has it again, with the token it has got since. */
  nextSession(): Conversation;
}

async function createDatabase(beside: string, name: string): Promise<string> {
  const client = new pg.Client({ connectionString: beside });
  await client.connect();
  try {
    await client.query(`CREATE DATABASE ${name}`);
  } finally {
    await client.end();
  }
  const url = new URL(beside);
  url.pathname = `/${name}`;
  return url.href;
}

/** A cluster on a database of its own. It is started once for the tables to be there, and again when they are full: plans for empty ones are others. */
async function startOn(bench: Bench, name: string, users: number): Promise<Side> {
  const databaseUrl = await createDatabase(bench.databaseUrl, name);
  await (await bench.startCluster({ databaseUrl })).stop();
  await seed({ databaseUrl, issuer, from: 0, to: users, argon2: bench.argon2 });
  return { cluster: await bench.startCluster({ databaseUrl }), users, nextSession: sessions(users) };
}

function sessions(users: number): Side["nextSession"] {
  const next = accounts(users, 0);
  const used = new Map<number, Conversation>();
  return () => {
    const number = next();
    const session = used.get(number) ?? refreshes(number);
    used.set(number, session);
    return session;
  };
}

/** Each request another session, so that large tables are read and written all over. */
function scatteredRefreshes({ nextSession }: Side): Conversation {
  let session: Conversation | undefined;
  return {
    next() {
      session = nextSession();
      return session.next();
    },
    answered: (status, body) => session?.answered?.(status, body),
  };
}

type Load = readonly [connections: number, conversations: (side: Side) => (index: number) => Conversation];

/** What a login and a refresh cost, server and database together, in a hundredfold database beside the small one, in turns. */
export const growth: Scenario = {
  name: "growth",
  async run(bench) {
    const { users, growth: grown, connections, duration, hashingWorkers } = bench.options;
    if (grown <= users) return [];
    const small = await startOn(bench, "bench_small", users);
    const large = await startOn(bench, "bench_large", grown);
    const compared = async (path: string, [clients, conversations]: Load): Promise<Line> => {
      const of = (side: Side) => ({
        cluster: side.cluster,
        drive: (seconds: number) =>
          drive({
            ...{ url: side.cluster.url, connections: clients, duration: seconds },
            ...{ servers: [side.cluster.pid, bench.postgres.pid], conversation: conversations(side) },
          }),
      });
      const { first, second, observed, observedAnswers } = await inTurns(
        bench,
        duration,
        of(small),
        of(large),
      );
      const ratio = second.cpuMicros / first.cpuMicros;
      return {
        path: `${path} at ${grown} accounts`,
        ...{ ours: second, observed, observedAnswers },
        raw: first.cpuMicros,
        against: `µs/req with ${users} accounts`,
        ...{ ratio, budget: "≤ 1.2", met: ratio <= 1.2 },
      };
    };
    try {
      return [
        await compared("POST /password/login", [
          hashingWorkers * connectionsForEachHasher,
          ({ users }) =>
            (index) =>
              logins(users, index),
        ]),
        await compared("POST /token", [connections, (side) => () => scatteredRefreshes(side)]),
      ];
    } finally {
      await large.cluster.stop();
      await small.cluster.stop();
    }
  },
};
