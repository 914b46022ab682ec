import { readFile } from "node:fs/promises";
import { availableParallelism, freemem } from "node:os";
import type { Config } from "../../config/config.ts";
import { createHashEngine } from "../../platform/hashing/engine.ts";
import { loadArgon2Kernel } from "../../platform/hashing/kernel.ts";
import { acquirePortLock } from "../../platform/http/port-lock.ts";
import { systemRandom } from "../../platform/random.ts";
import { type Finding, messageOf, ok, problem, warning } from "./finding.ts";

const hashes = 5;
/** Slower than this and people wait for their logins; faster and the hash protects little. */
const slowMs = 500;
const fastMs = 5;

/** How many logins this machine can check, and whether their memory is there. */
export async function checkHashing({ passwords, server }: Config): Promise<Finding[]> {
  const { argon2 } = passwords;
  const kernel = await loadArgon2Kernel();
  const engine = createHashEngine(kernel, argon2, systemRandom);
  const password = Buffer.from("doctor");
  await engine.hash(password);
  const started = performance.now();
  for (let n = 0; n < hashes; n++) await engine.hash(password);
  const ms = (performance.now() - started) / hashes;
  const processes = Math.min(server.hashingWorkers, availableParallelism());
  const text = `hashing: ${ms.toFixed(1)} ms through ${kernel.name}, about ${Math.round((processes * 1000) / ms)} logins/s`;
  const calibrate = "run `authkit-server hash calibrate` and set AUTHKIT_ARGON2";
  const findings = [ms > slowMs || ms < fastMs ? warning(text, calibrate) : ok(text)];
  const memory = server.hashingWorkers * argon2.memory * 1024;
  if (memory > freemem() / 2)
    findings.push(
      warning(
        `hashing: ${Math.round(memory / 2 ** 20)} MiB for ${server.hashingWorkers} processes, ${Math.round(freemem() / 2 ** 20)} MiB are free`,
        "lower AUTHKIT_HASHING_WORKERS or the memory in AUTHKIT_ARGON2",
      ),
    );
  return findings;
}

/** Whether the address can be listened on. */
export async function checkPort({ server, stateDirectory }: Config): Promise<Finding[]> {
  const { host, port } = server.listen;
  const address = `${host ?? "*"}:${port}`;
  try {
    const lock = await acquirePortLock(host, port, stateDirectory);
    await lock.release();
    return [ok(`port: ${address} is free`)];
  } catch (error) {
    return [
      warning(
        `port: ${messageOf(error)}`,
        "fine when that is this server; otherwise stop the other program or change AUTHKIT_LISTEN_ADDR",
      ),
    ];
  }
}

const migrateRequests = "/proc/sys/net/ipv4/tcp_migrate_req";

/** Linux settings that decide about requests during a rolling replacement. */
export async function checkKernel(): Promise<Finding[]> {
  if (process.platform !== "linux") return [];
  let value: string;
  try {
    value = (await readFile(migrateRequests, "utf8")).trim();
  } catch (error) {
    return [
      warning(
        `tcp_migrate_req: ${messageOf(error)}`,
        "with Linux 5.14 or later a reload loses no connection; without it a few new ones may be reset",
      ),
    ];
  }
  return value === "1"
    ? [ok("tcp_migrate_req: on")]
    : [
        warning(
          "tcp_migrate_req is off: a reload may reset a few new connections",
          "sysctl -w net.ipv4.tcp_migrate_req=1 in the server's network namespace",
        ),
      ];
}

/** Whether the limits of the process leave room for connections. */
export async function checkOpenFiles(): Promise<Finding[]> {
  if (process.platform !== "linux") return [];
  const limits = await readFile("/proc/self/limits", "utf8");
  const soft = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? Number.POSITIVE_INFINITY);
  const text = `open files: at most ${soft}`;
  return soft < 4096
    ? [problem(text, "raise it with LimitNOFILE= (systemd) or ulimit -n: each connection takes one")]
    : [ok(text)];
}
