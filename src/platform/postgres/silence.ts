import type { Log } from "../log/port.ts";
import type { Connection } from "./connection.ts";

export interface SilenceOptions {
  readonly open: () => Promise<Connection>;
  /** Only one of the DSN's servers can be the right one at a time, as with `read-write`. */
  readonly soleServer: boolean;
  /** Lets go of connections whose answers will never come, and of idle ones, which share their fate. */
  readonly drop: (dead: readonly Connection[]) => void;
  readonly log: Log;
}

interface Mark {
  readonly received: number;
  readonly since: number;
}

/** A statement without an answer for so long is worth a look. */
const suspectMs = 1_000;
/** After a look that found long statements only, the next one waits: twice as long each time. */
const firstPauseMs = 1_000;
const longestPauseMs = 30_000;

const idleSessions = {
  name: undefined,
  text: `SELECT pid FROM pg_stat_activity
    WHERE pid = ANY($1::int[]) AND application_name = current_setting('application_name')
      AND state LIKE 'idle%' AND state_change < clock_timestamp() - interval '1 second'`,
};

/**
 * Finds connections that are dead without having been closed: the network forgot them, or their machine vanished and another server took over.
 * A new connection tells: it leads to another server, or the server says that the session it is asked about has nothing to do although an
 * answer is awaited. Without it each statement would take its whole time-out to find out, one connection after the other.
 */
export function createSilenceWatch(options: SilenceOptions): { look(lent: Iterable<Connection>): void } {
  let marks = new Map<Connection, Mark>();
  let looking = false;
  let pauseMs = firstPauseMs;
  let notBefore = 0;

  function suspects(lent: Iterable<Connection>, now: number): Connection[] {
    const seen = new Map<Connection, Mark>();
    const found: Connection[] = [];
    for (const connection of lent) {
      if (!connection.awaiting) continue;
      const { received } = connection;
      const before = marks.get(connection);
      const mark = before?.received === received ? before : { received, since: now };
      seen.set(connection, mark);
      if (now - mark.since >= suspectMs) found.push(connection);
    }
    marks = seen;
    return found;
  }

  async function inspect(
    lent: Iterable<Connection>,
    silent: readonly Connection[],
    before: ReadonlyMap<Connection, Mark>,
  ): Promise<void> {
    const fresh = await options.open();
    try {
      const left = ({ target }: Connection): boolean => options.soleServer && target !== fresh.target;
      const idle = await withoutWork(
        fresh,
        silent.filter((connection) => !left(connection)),
      );
      // Lent now, not when the look began: an idle connection to a server that vanished dies at its next statement.
      const suspected = [...[...lent].filter(left), ...idle];
      // An answer may have come meanwhile: this process itself may have been the silent one.
      const dead = suspected.filter((connection) => {
        const received = before.get(connection)?.received ?? connection.received;
        return connection.awaiting && connection.received === received;
      });
      if (dead.length > 0) {
        options.log.warn({ connections: dead.length }, "database connections have died in silence");
        options.drop(dead);
        pauseMs = firstPauseMs;
      } else {
        notBefore = performance.now() + pauseMs;
        pauseMs = Math.min(pauseMs * 2, longestPauseMs);
      }
    } finally {
      await fresh.end();
    }
  }

  return {
    look(lent) {
      const now = performance.now();
      const silent = suspects(lent, now);
      if (silent.length === 0) pauseMs = firstPauseMs;
      if (silent.length === 0 || looking || now < notBefore) return;
      looking = true;
      inspect(lent, silent, marks)
        // A database that is away is noticed by whoever wants something of it.
        .catch((error: unknown) =>
          options.log.debug({ err: error }, "looking after silent connections failed"),
        )
        .finally(() => {
          looking = false;
        });
    },
  };
}

async function withoutWork(fresh: Connection, silent: readonly Connection[]): Promise<Connection[]> {
  const ids = silent.flatMap(({ processId }) => (processId === undefined ? [] : [processId]));
  if (ids.length === 0) return [];
  const { rows } = await fresh.query<{ pid: number }>(idleSessions, [ids]);
  const idle = new Set(rows.map(({ pid }) => pid));
  return silent.filter(({ processId }) => processId !== undefined && idle.has(processId));
}
