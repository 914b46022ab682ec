import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chown, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join, resolve } from "node:path";
import pg from "pg";
import type { Log } from "../log/port.ts";
import { type Account, prepareAccount } from "./embedded-account.ts";
import { ignoreCode, locateBinaries, type PostgresBinaries } from "./embedded-binaries.ts";
import { claimDirectory } from "./embedded-claim.ts";

export interface EmbeddedPostgresOptions {
  /** Everything of the server lives below it: data, password, chosen port. */
  readonly directory: string;
  /** Preferred port on 127.0.0.1; the one used last time, or any free one, when absent or taken. */
  readonly port?: number | undefined;
  readonly log: Log;
  /** Further server settings, as in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
}

export interface EmbeddedPostgres {
  /** Connection URL of the database `authkit`, with password. */
  readonly url: string;
  /** Id of the server's process. */
  readonly pid: number;
  /** Ends open connections, checkpoints and stops the server. */
  stop(): Promise<void>;
}

const databaseName = "authkit";
const startTimeoutMs = 60_000;

/**
 * Starts the PostgreSQL that comes with the npm packages, for development and tests: TCP on 127.0.0.1 only, password
 * kept in the directory. Data of an earlier run are used again, also after a crash.
 *
 * @throws Error when another live process uses the directory, or the server does not come up.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const directory = resolve(options.directory);
  const binaries = await locateBinaries();
  const account = await prepareAccount(directory, [binaries.postgres]);
  const data = join(directory, "data");
  const claim = await claimDirectory(directory, data, options.log);
  try {
    const password = await readPassword(directory);
    await initialise(binaries, account, directory, password, options.log);
    const port = await choosePort(directory, options.port);
    const server = await launch(binaries, account, data, port, options);
    try {
      const adminUrl = `postgres://postgres:${password}@127.0.0.1:${port}`;
      await ensureDatabase(`${adminUrl}/template1`);
      await claim.record(server.pid);
      options.log.debug({ port, directory }, "embedded PostgreSQL is ready");
      return {
        url: `${adminUrl}/${databaseName}`,
        pid: server.pid,
        stop: async () => {
          await server.stop();
          await claim.release();
        },
      };
    } catch (error) {
      await server.stop();
      throw error;
    }
  } catch (error) {
    await claim.release();
    throw error;
  }
}

async function readPassword(directory: string): Promise<string> {
  const path = join(directory, "password");
  const known = await readFile(path, "utf8").catch(ignoreCode("ENOENT"));
  if (known !== undefined && known.trim() !== "") return known.trim();
  const password = randomBytes(24).toString("base64url");
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  return password;
}

async function initialise(
  binaries: PostgresBinaries,
  account: Account,
  directory: string,
  password: string,
  log: Log,
): Promise<void> {
  const data = join(directory, "data");
  if ((await stat(join(data, "PG_VERSION")).catch(ignoreCode("ENOENT"))) !== undefined) return;
  // Under another name until complete, so that an interrupted first start leaves no half-made cluster behind.
  const fresh = join(directory, "data.new");
  await rm(fresh, { recursive: true, force: true });
  const passwordFile = join(directory, "password.initdb");
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  if (account.uid !== undefined && account.gid !== undefined)
    await chown(passwordFile, account.uid, account.gid);
  try {
    await runToEnd(
      account,
      binaries.initdb,
      [
        `--pgdata=${fresh}`,
        `--pwfile=${passwordFile}`,
        "--username=postgres",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale=C",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-sync",
        "--no-instructions",
      ],
      log,
    );
  } finally {
    await rm(passwordFile, { force: true });
  }
  await rm(data, { recursive: true, force: true });
  await rename(fresh, data);
}

function command(account: Account, program: string, args: readonly string[]): [string, string[]] {
  const [first, ...rest] = [...account.launcher, program, ...args];
  return [first ?? program, rest];
}

function start(account: Account, program: string, args: readonly string[]): ChildProcess {
  const [file, rest] = command(account, program, args);
  return spawn(file, rest, {
    // Its own process group: a Ctrl-C in the terminal must not stop the database before the server has drained.
    detached: true,
    stdio: ["ignore", "ignore", "pipe"],
    env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" },
    cwd: "/",
    ...(account.uid === undefined ? {} : { uid: account.uid }),
    ...(account.gid === undefined ? {} : { gid: account.gid }),
  });
}

async function runToEnd(account: Account, program: string, args: readonly string[], log: Log): Promise<void> {
  const child = start(account, program, args);
  let output = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise<number | null>((done, fail) => {
    child.once("error", fail);
    child.once("close", done);
  });
  if (code !== 0) throw new Error(`Creating the embedded database failed: ${output.trim()}`);
  log.debug({ output: output.trim() }, "embedded database created");
}

async function choosePort(directory: string, preferred: number | undefined): Promise<number> {
  const file = join(directory, "port");
  const last = Number((await readFile(file, "utf8").catch(ignoreCode("ENOENT"))) ?? "");
  for (const candidate of [preferred, last]) {
    if (candidate !== undefined && Number.isInteger(candidate) && candidate > 0 && candidate < 65536) {
      if ((await bindable(candidate)) !== undefined) return remember(candidate);
    }
  }
  const free = await bindable(0);
  if (free === undefined) throw new Error("No free port for the embedded PostgreSQL");
  return remember(free);

  async function remember(port: number): Promise<number> {
    await writeFile(file, `${port}\n`);
    return port;
  }
}

function bindable(port: number): Promise<number | undefined> {
  return new Promise((done) => {
    const probe = createServer();
    probe.once("error", () => done(undefined));
    probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => done(typeof address === "object" && address !== null ? address.port : undefined));
    });
  });
}

async function launch(
  binaries: PostgresBinaries,
  account: Account,
  data: string,
  port: number,
  options: EmbeddedPostgresOptions,
): Promise<{ pid: number; stop(): Promise<void> }> {
  const settings: Record<string, string> = {
    listen_addresses: "127.0.0.1",
    port: String(port),
    unix_socket_directories: "",
    shared_buffers: "64MB",
    max_wal_size: "256MB",
    log_timezone: "UTC",
    timezone: "UTC",
    ...options.settings,
  };
  const child = start(account, binaries.postgres, [
    "-D",
    data,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ]);
  let ended = false;
  const exit = new Promise<void>((done) => {
    child.once("close", () => {
      ended = true;
      done();
    });
  });
  // When this process ends without stopping it, the server must not stay behind.
  const interrupt = () => {
    if (!ended) child.kill("SIGINT");
  };
  process.once("exit", interrupt);
  const stop = async () => {
    process.removeListener("exit", interrupt);
    interrupt();
    await exit;
  };
  try {
    await untilReady(child, options.log);
  } catch (error) {
    await stop();
    throw error;
  }
  if (child.pid === undefined) throw new Error("The embedded PostgreSQL has no process id");
  return { pid: child.pid, stop };
}

function untilReady(child: ChildProcess, log: Log): Promise<void> {
  return new Promise((done, fail) => {
    let output = "";
    let ready = false;
    const timer = setTimeout(
      () => fail(new Error(`The embedded PostgreSQL did not start in time: ${output}`)),
      startTimeoutMs,
    );
    child.stderr?.on("data", (chunk: Buffer) => {
      const text = chunk.toString();
      if (!ready) output += text;
      log.debug({ postgres: text.trimEnd() }, "embedded PostgreSQL says");
      // A standby says "read-only connections".
      if (!ready && /ready to accept (?:read-only )?connections/.test(output)) {
        ready = true;
        clearTimeout(timer);
        done();
      }
    });
    const refuse = (reason: string) => {
      clearTimeout(timer);
      fail(new Error(`The embedded PostgreSQL did not start: ${reason}`));
    };
    child.once("error", (error) => refuse(error.message));
    child.once("close", () => refuse(output.trim()));
  });
}

/** Takes the empty database that every new cluster has: another one would be a copy of a thousand files, in the middle of the first start. */
async function ensureDatabase(adminUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ readonly datname: string }>("SELECT datname FROM pg_database");
    const has = (name: string): boolean => rows.some(({ datname }) => datname === name);
    if (has(databaseName)) return;
    if (has("postgres")) await client.query(`ALTER DATABASE postgres RENAME TO ${databaseName}`);
    else await client.query(`CREATE DATABASE ${databaseName}`);
  } finally {
    await client.end();
  }
}
