import { figures } from "./figures.ts";
import { entriesOf, type Load, type Station, stations } from "./operations.ts";

/** Share of a core that may be used: beyond it, queues make the slowest requests several times slower. */
export const targetUtilisation = 0.65;

/** What one instance of a store takes, a second. */
export const ceilings = {
  /** Small write transactions of one PostgreSQL primary with group commit on a fast disk. */
  postgresWrites: 30_000,
  /** Cores of the largest machine one would give a primary. */
  postgresCores: 64,
  /** Short scripts of one Redis process. */
  redisCalls: 80_000,
  /** Bytes one would keep in one Redis process, which a replica has to copy. */
  redisBytes: 20e9,
  /** Cores of one machine for http, management and hashing. */
  machineCores: 32,
} as const;

/** What a load needs. */
export interface Demand {
  /** CPU seconds a second: cores that are busy all the time. */
  readonly busy: Readonly<Record<Station, number>>;
  /** Cores to provide. */
  readonly cores: Readonly<Record<Station, number>>;
  readonly writesPerSecond: number;
  readonly redisCallsPerSecond: number;
  /** What Redis holds at a time when every request is of another account and address: the most there can be. */
  readonly redisBytes: number;
}

/** The capacity model: demand is the sum of rate × cost, and cores are run at {@link targetUtilisation} at most. */
export function demandOf(load: Load): Demand {
  const busy: Record<Station, number> = { http: 0, management: 0, hashing: 0, database: 0 };
  let writesPerSecond = 0;
  let redisCallsPerSecond = 0;
  for (const [operation, rate] of entriesOf(load)) {
    const cpu: Readonly<Partial<Record<Station, number>>> = operation.cpu;
    for (const station of stations) busy[station] += (rate * (cpu[station] ?? 0)) / 1000;
    writesPerSecond += rate * operation.writes;
    redisCallsPerSecond += rate * operation.redisCalls;
  }
  const cores = { ...busy };
  for (const station of stations) cores[station] = Math.ceil(busy[station] / targetUtilisation);
  return { busy, cores, writesPerSecond, redisCallsPerSecond, redisBytes: redisBytesOf(load) };
}

/** Keys made a second × seconds they live × bytes of each. */
function redisBytesOf(load: Load): number {
  const rates: Readonly<Record<string, number>> = load;
  const { keys, overhead } = figures.stores.redis;
  return Object.entries(keys).reduce((sum, [operation, kinds]) => {
    const each = kinds.reduce((bytes, kind) => bytes + kind.keys * kind.bytes * kind.seconds, 0);
    return sum + (rates[operation] ?? 0) * each * overhead;
  }, 0);
}

/** What has to be stored for good. */
export interface Population {
  readonly accounts: number;
  readonly sessionsEach: number;
  readonly loginsPerSecond: number;
  /** How long the history of sign-ins is kept. */
  readonly historyDays: number;
}

/** Bytes of PostgreSQL with all indexes, when accounts have a password. */
export function storageOf({ accounts, sessionsEach, loginsPerSecond, historyDays }: Population): {
  readonly accounts: number;
  readonly sessions: number;
  readonly history: number;
} {
  const { users, user_passwords, refresh_sessions, session_events } = figures.stores.rows;
  return {
    accounts: accounts * (users.withIndexes + user_passwords.withIndexes),
    sessions: accounts * sessionsEach * refresh_sessions.withIndexes,
    history: loginsPerSecond * 86_400 * historyDays * session_events.withIndexes,
  };
}

/** How many of each thing a load needs, by the ceilings. */
export interface Deployment {
  readonly machines: number;
  readonly primaries: number;
  readonly redisShards: number;
}

export function deploymentOf(demand: Demand): Deployment {
  const { cores } = demand;
  return {
    machines: Math.ceil((cores.http + cores.management + cores.hashing) / ceilings.machineCores),
    primaries: Math.max(
      1,
      Math.ceil(
        Math.max(
          demand.writesPerSecond / (ceilings.postgresWrites * targetUtilisation),
          cores.database / ceilings.postgresCores,
        ),
      ),
    ),
    redisShards: Math.max(
      1,
      Math.ceil(
        Math.max(
          demand.redisCallsPerSecond / (ceilings.redisCalls * targetUtilisation),
          demand.redisBytes / ceilings.redisBytes,
        ),
      ),
    ),
  };
}
