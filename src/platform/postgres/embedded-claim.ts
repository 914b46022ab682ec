import { readFile, readlink, realpath, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { Log } from "../log/port.ts";
import { ignoreCode } from "./embedded-binaries.ts";

/** The right of this process to run the server of one directory. */
export interface Claim {
  /** Notes the server's process id, so that a successor can clean up after a crash of this process. */
  record(serverPid: number): Promise<void>;
  release(): Promise<void>;
}

const stopTimeoutMs = 20_000;

/**
 * Claims an embedded database's directory. A server left behind by a killed owner is stopped first; a directory in use
 * by a live owner is refused.
 *
 * @throws Error naming the process that uses the directory.
 */
export async function claimDirectory(directory: string, data: string, log: Log): Promise<Claim> {
  const file = join(directory, "owner.json");
  const owner = parseOwner(await readFile(file, "utf8").catch(ignoreCode("ENOENT")));
  if (owner !== undefined && (await isSameProcess(owner.pid, owner.started))) {
    throw new Error(
      `The embedded PostgreSQL in ${directory} is in use by process ${owner.pid}. Stop that one, or choose another state directory.`,
    );
  }
  await stopOrphan(data, log);
  const self = { pid: process.pid, started: (await startTime(process.pid)) ?? "" };
  await writeFile(file, JSON.stringify(self));
  return {
    record: (server) => writeFile(file, JSON.stringify({ ...self, server })),
    release: () => rm(file, { force: true }),
  };
}

function parseOwner(text: string | undefined): { pid: number; started: string } | undefined {
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("pid" in value) || !("started" in value))
      return undefined;
    if (typeof value.pid !== "number" || typeof value.started !== "string") return undefined;
    return { pid: value.pid, started: value.started };
  } catch (error) {
    // Torn by a crash while writing: then no live owner wrote it.
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** What the kernel says of a process: the fields from the third on. Undefined off Linux or when it is gone. */
async function statusOf(pid: number): Promise<readonly string[] | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
  // The command, in parentheses, may itself contain spaces.
  return text?.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** Start time of a process in kernel ticks; tells a reused process id apart. Undefined off Linux or when it is gone. */
async function startTime(pid: number): Promise<string | undefined> {
  return (await statusOf(pid))?.[19];
}

async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  // Signals reach a dead process as well until its parent takes note of its end; the first process of a container may never do so.
  const state = (await statusOf(pid))?.[0];
  return state !== "Z" && state !== "X";
}

async function isSameProcess(pid: number, started: string): Promise<boolean> {
  if (!(await isAlive(pid))) return false;
  const now = await startTime(pid);
  return started === "" || now === undefined || now === started;
}

async function stopOrphan(data: string, log: Log): Promise<void> {
  const pidFile = join(data, "postmaster.pid");
  const text = await readFile(pidFile, "utf8").catch(ignoreCode("ENOENT"));
  if (text === undefined) return;
  const pid = Number(text.split("\n")[0]);
  if (Number.isInteger(pid) && pid > 1 && (await isAlive(pid)) && (await servesDirectory(pid, data))) {
    log.warn({ pid }, "stopping an embedded PostgreSQL left behind by a killed process");
    process.kill(pid, "SIGINT");
    const deadline = performance.now() + stopTimeoutMs;
    while (await isAlive(pid)) {
      if (performance.now() > deadline)
        throw new Error(`The PostgreSQL process ${pid} left in ${data} does not stop.`);
      await delay(50);
    }
  }
  // A pid file of a dead server may name an id that another program has by now; PostgreSQL would refuse to start.
  await rm(pidFile, { force: true });
}

/** A server's working directory is its data directory. */
async function servesDirectory(pid: number, data: string): Promise<boolean> {
  const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => undefined);
  if (cwd !== undefined) return cwd === (await realpath(data));
  // Without procfs nothing tells; treating it as the server is the safe side.
  return process.platform !== "linux";
}
