import { execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./ports.ts";

export interface TestPooler {
  /** Connection string of a database behind the pooler. */
  url(databaseUrl: string): string;
  readonly pid: number;
  stop(): Promise<void>;
}

const places = ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"];

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function installed(): string {
  const program = places.find((path) => existsSync(path));
  if (program === undefined) throw new Error("PgBouncer is missing: apt-get install pgbouncer");
  return program;
}

/** What is installed, and whether it can track prepared statements, as PgBouncer does since 1.21. */
export function pgBouncerVersion(): { readonly text: string; readonly tracks: boolean } {
  const answer = execFileSync(installed(), ["--version"], { encoding: "utf8" });
  const [, major = "", minor = ""] = /PgBouncer (\d+)\.(\d+)/.exec(answer) ?? [];
  return { text: `${major}.${minor}`, tracks: Number(major) > 1 || Number(minor) >= 21 };
}

/**
 * PgBouncer in transaction mode in front of a server, with few connections.
 * @param tracked prepared statements it tracks on each connection; 0 = it does not, as none does before 1.21
 */
export async function startPgBouncer(serverUrl: string, tracked = 0): Promise<TestPooler> {
  const program = installed();
  const { hostname, port: serverPort, username, password } = new URL(serverUrl);
  const directory = await mkdtemp(join(tmpdir(), "authkit-pgbouncer-"));
  // It gives up root for a user that must be able to read its files.
  await chmod(directory, 0o755);
  const port = await freePort();
  const file = join(directory, "pgbouncer.ini");
  const login = `user=${decodeURIComponent(username)} password=${decodeURIComponent(password)}`;
  await writeFile(
    file,
    [
      "[databases]",
      `* = host=${hostname} port=${serverPort} ${login}`,
      "[pgbouncer]",
      "listen_addr = 127.0.0.1",
      `listen_port = ${port}`,
      "unix_socket_dir =",
      "auth_type = any",
      "pool_mode = transaction",
      "default_pool_size = 8",
      "max_client_conn = 400",
      // Newer releases track them unless told otherwise; older ones do not know the setting.
      ...(pgBouncerVersion().tracks ? [`max_prepared_statements = ${tracked}`] : []),
      "ignore_startup_parameters = extra_float_digits",
      "",
    ].join("\n"),
  );
  await chmod(file, 0o644);
  const user = process.getuid?.() === 0 ? ["-u", "nobody"] : [];
  const child = spawn(program, [...user, file], { stdio: ["ignore", "ignore", "pipe"] });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  for (let attempt = 0; !(await answers(port)); attempt++) {
    if (attempt > 100 || child.exitCode !== null) throw new Error(`PgBouncer did not start:\n${said}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    pid: child.pid ?? 0,
    url(databaseUrl) {
      const url = new URL(databaseUrl);
      url.hostname = "127.0.0.1";
      url.port = String(port);
      return url.href;
    },
    async stop() {
      child.kill("SIGKILL");
      await ended;
      await rm(directory, { recursive: true, force: true });
    },
  };
}
