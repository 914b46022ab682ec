import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { type FaultyPostgres, startFaultyPostgres } from "./faulty.ts";
import { until } from "./outcome.ts";
import { freePort } from "./ports.ts";

/** A primary and a standby that confirms every commit before it is acknowledged. */
export interface ReplicatedPostgres {
  /** Connection string with both hosts. */
  readonly url: string;
  readonly primary: FaultyPostgres;
  readonly standby: FaultyPostgres;
  /** Makes the standby a primary; resolves when it accepts writes. */
  promote(): Promise<void>;
  remove(): Promise<void>;
}

async function administer<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

export async function startReplicatedPostgres(): Promise<ReplicatedPostgres> {
  const primary = await startFaultyPostgres();
  const { username, password, port, pathname } = new URL(primary.url);
  // A copy made while the server is down needs no tool of PostgreSQL's.
  await primary.stop();
  const directory = join(await mkdtemp(join(tmpdir(), "authkit-standby-")), "copy");
  await promisify(execFile)("cp", ["-a", primary.directory, directory]);
  await writeFile(join(directory, "data", "standby.signal"), "");
  await writeFile(join(directory, "port"), String(await freePort()));
  await primary.start();
  const standby = await startFaultyPostgres({
    directory,
    settings: {
      primary_conninfo: `host=127.0.0.1 port=${port} user=${username} password=${password} application_name=standby`,
    },
  });
  await administer(primary.url, async (client) => {
    await until("the standby streams", 20, async () => {
      const { rowCount } = await client.query("SELECT FROM pg_stat_replication WHERE state = 'streaming'");
      return rowCount === 1;
    });
    await client.query("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
    await client.query("SELECT pg_reload_conf()");
    await until("commits wait for the standby", 20, async () => {
      const { rowCount } = await client.query("SELECT FROM pg_stat_replication WHERE sync_state = 'sync'");
      return rowCount === 1;
    });
  });
  return {
    url: `postgres://${username}:${password}@127.0.0.1:${port},127.0.0.1:${new URL(standby.url).port}${pathname}`,
    primary,
    standby,
    promote: () =>
      administer(standby.url, async (client) => {
        await client.query("SELECT pg_promote()");
      }),
    async remove() {
      await standby.remove();
      await primary.remove();
      await rm(join(directory, ".."), { recursive: true, force: true });
    },
  };
}
