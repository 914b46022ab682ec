import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { silentLog } from "../../src/platform/log/port.ts";
import { type EmbeddedPostgres, startEmbeddedPostgres } from "../../src/platform/postgres/embedded.ts";
import { familyOf } from "./processes.ts";

/** A durable PostgreSQL of a test's own that can be stopped, crashed and hung, and comes back at the same address. */
export interface FaultyPostgres {
  readonly url: string;
  readonly directory: string;
  /** Ends the server in order; connections are closed. */
  stop(): Promise<void>;
  /** Kills every process of the server at once, as a power cut of its machine does. */
  crash(): Promise<void>;
  start(): Promise<void>;
  /** Stops answering without closing anything. */
  hang(): void;
  resume(): void;
  remove(): Promise<void>;
}

export interface FaultyPostgresOptions {
  /** Existing data to start from; a fresh directory otherwise. */
  readonly directory?: string;
  /** As in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
}

export async function startFaultyPostgres(options: FaultyPostgresOptions = {}): Promise<FaultyPostgres> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "authkit-faulty-pg-")));
  const launch = (port?: number): Promise<EmbeddedPostgres> =>
    startEmbeddedPostgres({
      directory,
      log: silentLog,
      ...(port === undefined ? {} : { port }),
      settings: { max_connections: "100", shared_buffers: "64MB", ...options.settings },
    });
  let server: EmbeddedPostgres | undefined = await launch();
  const { url } = server;
  const port = Number(new URL(url).port);
  const signal = (name: NodeJS.Signals): void => {
    if (server === undefined) return;
    for (const pid of familyOf(server.pid)) process.kill(pid, name);
  };
  const stop = async (): Promise<void> => {
    signal("SIGCONT");
    await server?.stop();
    server = undefined;
  };
  return {
    url,
    directory,
    stop,
    async crash() {
      signal("SIGKILL");
      await server?.stop();
      server = undefined;
    },
    async start() {
      server = await launch(port);
    },
    hang: () => signal("SIGSTOP"),
    resume: () => signal("SIGCONT"),
    async remove() {
      await stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Path of a configuration file that switches rate limits off. */
export async function unlimited(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "authkit-unlimited-"));
  const path = join(directory, "authkit.yaml");
  await writeFile(path, "limits:\n  enabled: false\n");
  return path;
}
