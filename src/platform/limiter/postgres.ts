import { type Database, type Queryable, sql } from "../postgres/port.ts";
import { decide, stateOf, tolerableFutureMs } from "./decision.ts";
import type { RateLimiter } from "./port.ts";

/**
 * One statement decides: the conflicting row is locked, its condition is judged on the newest version, and a refused hit changes
 * nothing. No row from `attempt` means refused; the log is then read as this statement saw it, for the waiting times only.
 *
 * $1 key, $2 limit, $3 window seconds, $4 cooldown seconds.
 */
const hitLog = sql(
  "limiter.hit",
  (s) => `WITH attempt AS (
    INSERT INTO ${s}.rate_limits AS r (key, hits, expires_at)
    SELECT $1, ARRAY[clock_timestamp()], clock_timestamp() + ($3::float8 + 1) * interval '1 second'
    WHERE $2::int > 0
    ON CONFLICT (key) DO UPDATE SET
      hits = ARRAY(
        SELECT h FROM unnest(r.hits) AS h WHERE ${within("$3")} ORDER BY h
      ) || clock_timestamp(),
      expires_at = clock_timestamp() + ($3::float8 + 1) * interval '1 second'
    WHERE (
        SELECT count(*) FROM unnest(r.hits) AS h WHERE ${within("$3")}
      ) < $2::int
      AND NOT EXISTS (
        SELECT FROM unnest(r.hits) AS h WHERE ${within("$4")}
      )
    RETURNING r.hits
  )
  SELECT true AS accepted, ${epochs("hits")} AS hits, ${epoch("clock_timestamp()")} AS now FROM attempt
  UNION ALL
  SELECT false, ${epochs(`coalesce((SELECT hits FROM ${s}.rate_limits WHERE key = $1), '{}')`)}, ${epoch("clock_timestamp()")}
  WHERE NOT EXISTS (SELECT FROM attempt)`,
);

const deleteExpired = sql(
  "limiter.deleteExpired",
  (s) => `DELETE FROM ${s}.rate_limits WHERE expires_at <= now()`,
);

/** Whether a hit was made within so many seconds. */
function within(seconds: string): string {
  return `h > clock_timestamp() - ${seconds}::float8 * interval '1 second'
    AND h <= clock_timestamp() + interval '${tolerableFutureMs} milliseconds'`;
}

function epoch(expression: string): string {
  return `(extract(epoch FROM ${expression}) * 1000)::float8`;
}

function epochs(expression: string): string {
  return `ARRAY(SELECT ${epoch("h")} FROM unnest(${expression}) AS h ORDER BY h)`;
}

const maxAttempts = 3;

interface HitRow {
  accepted: boolean;
  hits: number[];
  now: number;
}

/** The limiter in an UNLOGGED table, for development without Redis; the database's clock counts. */
export function createPostgresRateLimiter(database: Database): RateLimiter {
  return {
    async hit({ key, bucket, rule }) {
      const values = [`${key}:${bucket}`, rule.limit, rule.windowSeconds, rule.cooldownSeconds ?? 0];
      for (let attempt = 1; ; attempt++) {
        const row = await database.row<HitRow>(hitLog, values);
        const hits = row?.hits ?? [];
        if (row?.accepted === true) {
          return decide(rule, { accepted: true, count: hits.length - 1, cooldownMs: 0, windowMs: 0 });
        }
        const state = stateOf(rule, hits, row?.now ?? 0);
        // Refused because of hits this statement did not see yet: ask again, to know how long to wait.
        if (state.cooldownMs <= 0 && state.windowMs <= 0 && attempt < maxAttempts) continue;
        return decide(rule, { accepted: false, ...state });
      }
    },
  };
}

/** Removes logs nobody hit within their window; returns how many. */
export function sweepRateLimits(database: Queryable): Promise<number> {
  return database.run(deleteExpired);
}
