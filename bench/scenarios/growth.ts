import pg from "pg";
import {
  type Bench,
  type Conversation,
  drive,
  type Line,
  logins,
  type NextRequest,
  post,
  type Scenario,
} from "../bench.ts";
import { refreshTokenOf } from "../schema.ts";
import { seed } from "../seed.ts";
import { type ClusterService, issuer } from "../services.ts";
import { inTurns } from "../turns.ts";
import { connectionsForEachHasher } from "./sign-in.ts";

/** A prime: its multiples visit every account of a database in an order that is none. */
const stride = 7_919;

/** One of the two sides: a cluster on its own database. */
interface Side {
  readonly cluster: ClusterService;
  readonly users: number;
  /** Sessions that have been used. */
  sessions: number;
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
  return { cluster: await bench.startCluster({ databaseUrl }), users, sessions: 0 };
}

function refresh(side: Side): NextRequest {
  if (side.sessions === side.users)
    throw new Error("--users is too small for growth: there are no more sessions");
  const token = refreshTokenOf((side.sessions++ * stride) % side.users);
  return post("/api/v1/token", { grant_type: "refresh_token", refresh_token: token });
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
        // Each request another session, so that the large tables are read and written all over.
        await compared("POST /token", [connections, (side) => () => ({ next: () => refresh(side) })]),
      ];
    } finally {
      await large.cluster.stop();
      await small.cluster.stop();
    }
  },
};
