import { setTimeout as delay } from "node:timers/promises";
import pg from "pg";
import type { Dsn, DsnHost, TargetSession } from "../../config/dsn.ts";
import { Connection } from "./connection.ts";
import type { TlsOptions } from "./encryption.ts";
import { columnTypes } from "./values.ts";

export interface ConnectOptions {
  readonly dsn: Dsn;
  readonly tls: readonly TlsOptions[];
  readonly applicationName: string;
  /** Per host and way to connect. */
  readonly timeoutMs: number;
}

/** How long one host may keep silent before the next is tried as well. */
const staggerMs = 250;
/** A host of another kind is asked again after this long while others keep silent: it may be about to take over from them. */
const lookAgainMs = 250;

/** The attempts of one opening, at several hosts at once. */
interface Race {
  won: boolean;
  /** Hosts that have neither answered nor failed. */
  silent: number;
}

/** The host answers, but is not of the wanted kind. */
class OtherKind extends Error {}

/**
 * Connects to the first host of the DSN that answers and is of the wanted kind. A host that keeps silent, as a vanished machine does, holds
 * up the others for a moment only.
 *
 * @throws the last host's error.
 */
export async function openConnection(options: ConnectOptions): Promise<Connection> {
  const { targetSession } = options.dsn;
  if (targetSession !== "prefer-standby") return openAs(options, targetSession);
  try {
    return await openAs(options, "standby");
  } catch {
    return openAs(options, "any");
  }
}

async function openAs(options: ConnectOptions, kind: TargetSession): Promise<Connection> {
  const { hosts } = options.dsn;
  const race: Race = { won: false, silent: hosts.length };
  let turn: Promise<unknown> = Promise.resolve();
  const attempts = hosts.map((host) => {
    const attempt = turn.then(() => openAt(options, host, kind, race));
    turn = Promise.race([
      attempt.catch(() => undefined),
      turn.then(() => delay(staggerMs, undefined, { ref: false })),
    ]);
    return attempt;
  });
  try {
    const winner = await Promise.any(attempts);
    race.won = true;
    for (const attempt of attempts) {
      attempt.then(
        (connection) => (connection === winner ? undefined : connection.end()),
        () => undefined,
      );
    }
    return winner;
  } catch (error) {
    throw error instanceof AggregateError ? error.errors.at(-1) : error;
  }
}

async function openAt(
  options: ConnectOptions,
  host: DsnHost,
  kind: TargetSession,
  race: Race,
): Promise<Connection> {
  const deadline = performance.now() + options.timeoutMs;
  let answered = false;
  const answer = (): void => {
    if (!answered) race.silent--;
    answered = true;
  };
  for (;;) {
    if (race.won) throw new Error("another host was chosen");
    try {
      return await openWanted(options, host, kind);
    } catch (error) {
      answer();
      if (!(error instanceof OtherKind) || race.silent === 0 || performance.now() > deadline) throw error;
    }
    await delay(lookAgainMs);
  }
}

async function openWanted(options: ConnectOptions, host: DsnHost, kind: TargetSession): Promise<Connection> {
  let failure: unknown;
  for (const tls of host.host.startsWith("/") ? [undefined] : options.tls) {
    try {
      const connection = await openOne(options, host, tls);
      if (await isWanted(connection, kind)) return connection;
      await connection.end();
      failure = new OtherKind(`The server at ${host.host}:${host.port} is not ${kind}`);
      break;
    } catch (error) {
      failure = error;
      // A server's refusal (wrong password, say) is final for this host, unless it only minds the encryption.
      if (error instanceof pg.DatabaseError && error.code !== "28000") break;
    }
  }
  throw failure;
}

async function openOne(options: ConnectOptions, host: DsnHost, tls: TlsOptions): Promise<Connection> {
  const { dsn } = options;
  const client = new pg.Client({
    host: host.host,
    port: host.port,
    user: dsn.user,
    database: dsn.database,
    application_name: options.applicationName,
    connectionTimeoutMillis: options.timeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    pipeline: true,
    types: columnTypes,
    ssl: tls === undefined ? false : { ...tls },
    ...(dsn.password === undefined ? {} : { password: dsn.password }),
    ...(dsn.options === undefined ? {} : { options: dsn.options }),
  });
  const connection = new Connection(client, host, tls);
  try {
    await client.connect();
  } catch (error) {
    connection.destroy();
    throw error;
  }
  return connection;
}

async function isWanted(connection: Connection, kind: TargetSession): Promise<boolean> {
  if (kind === "any") return true;
  const result = await connection.command(
    "SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS frozen",
  );
  const row: unknown = result.rows[0];
  const standby = typeof row === "object" && row !== null && "standby" in row && row.standby === true;
  const frozen = typeof row === "object" && row !== null && "frozen" in row && row.frozen === true;
  switch (kind) {
    case "read-write":
      return !frozen && !standby;
    case "read-only":
      return frozen || standby;
    case "primary":
      return !standby;
    case "standby":
    case "prefer-standby":
      return standby;
  }
}
