import { Redis } from "ioredis";
import pg from "pg";
import { schema } from "../../schema.ts";

/** Counters of both stores; the difference of two readings is what happened in between. */
export interface Reading {
  /** Transactions that wrote. */
  readonly writes: number;
  /** Bytes of write-ahead log. */
  readonly walBytes: number;
  /** Rows inserted, updated and deleted, by table. */
  readonly rows: Readonly<Record<string, number>>;
  /** Requests Redis answered; what a script does inside is not one. */
  readonly redisCalls: number;
  readonly redisBytes: number;
  readonly redisKeys: number;
}

/** Bytes of a row with its share of the indexes, and of the row alone. */
export interface RowBytes {
  readonly rows: number;
  readonly bytesWithIndexes: number;
  readonly bytes: number;
}

/** Keys of one kind. */
export interface KeyBytes {
  readonly keys: number;
  readonly bytes: number;
  /** Seconds the example has to live. */
  readonly ttl: number;
  readonly example: string;
}

export interface Stores {
  read(): Promise<Reading>;
  tables(names: readonly string[]): Promise<Readonly<Record<string, RowBytes>>>;
  /** Memory of each key, by kind. */
  keys(kindOf: (key: string) => string): Promise<Readonly<Record<string, KeyBytes>>>;
  query(text: string): Promise<void>;
  close(): Promise<void>;
}

/** Sent by clients themselves; all others are counted where they run inside scripts too. */
const outer = ["evalsha", "eval", "publish", "getdel", "mget", "set"];

export async function openStores(databaseUrl: string, redisUrl: string): Promise<Stores> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  const redis = new Redis(redisUrl);

  async function infoNumber(section: string, name: string): Promise<number> {
    return Number(new RegExp(`^${name}:(\\d+)`, "m").exec(await redis.info(section))?.[1] ?? 0);
  }

  async function calls(): Promise<number> {
    const text = await redis.info("commandstats");
    return outer.reduce(
      (sum, name) => sum + Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, "m").exec(text)?.[1] ?? 0),
      0,
    );
  }

  return {
    async read() {
      // Counters of tables reach the statistics with a delay.
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await client.query("SELECT pg_stat_clear_snapshot()");
      const { rows: totals } = await client.query<{ xid: string; wal: string }>(
        "SELECT pg_snapshot_xmax(pg_current_snapshot())::text AS xid, pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::text AS wal",
      );
      const { rows: tables } = await client.query<{ name: string; changes: string }>(
        `SELECT relname AS name, (n_tup_ins + n_tup_upd + n_tup_del)::text AS changes FROM pg_stat_user_tables WHERE schemaname = $1`,
        [schema],
      );
      return {
        writes: Number(totals[0]?.xid),
        walBytes: Number(totals[0]?.wal),
        rows: Object.fromEntries(tables.map(({ name, changes }) => [name, Number(changes)])),
        redisCalls: await calls(),
        redisBytes: await infoNumber("memory", "used_memory"),
        redisKeys: await redis.dbsize(),
      };
    },

    async tables(names) {
      const found: Record<string, RowBytes> = {};
      for (const name of names) {
        const table = `${schema}.${name}`;
        await client.query(`VACUUM ANALYZE ${table}`);
        const { rows } = await client.query<{ n: string; total: string; heap: string }>(
          `SELECT (SELECT count(*) FROM ${table})::text AS n, pg_total_relation_size('${table}')::text AS total,
             pg_table_size('${table}')::text AS heap`,
        );
        const n = Number(rows[0]?.n);
        found[name] = {
          rows: n,
          bytesWithIndexes: Math.round(Number(rows[0]?.total) / n),
          bytes: Math.round(Number(rows[0]?.heap) / n),
        };
      }
      return found;
    },

    async keys(kindOf) {
      const kinds: Record<string, { keys: number; total: number; example: string }> = {};
      for await (const batch of redis.scanStream({ count: 1_000 })) {
        const names: readonly string[] = batch;
        const pipeline = redis.pipeline();
        for (const name of names) pipeline.memory("USAGE", name);
        const sizes = await pipeline.exec();
        for (const [index, name] of names.entries()) {
          const kind = kindOf(name);
          const sum = kinds[kind] ?? { keys: 0, total: 0, example: name };
          const size = Number(sizes?.[index]?.[1] ?? 0);
          kinds[kind] = { keys: sum.keys + 1, total: sum.total + size, example: sum.example };
        }
      }
      const found: Record<string, KeyBytes> = {};
      for (const [kind, { keys, total, example }] of Object.entries(kinds))
        found[kind] = {
          ...{ keys, bytes: Math.round(total / keys) },
          ...{ ttl: Math.round((await redis.pttl(example)) / 1000), example },
        };
      return found;
    },

    query: async (text) => void (await client.query(text)),
    async close() {
      redis.disconnect();
      await client.end();
    },
  };
}
