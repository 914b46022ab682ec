import { readdirSync } from "node:fs";
import { constants, setPriority } from "node:os";
import { listenChannel } from "../src/platform/channel/index.ts";
import { createHashEngine } from "../src/platform/hashing/engine.ts";
import { loadArgon2Kernel } from "../src/platform/hashing/kernel.ts";
import { createHashHandler } from "../src/platform/hashing/server.ts";
import type { Log } from "../src/platform/log/port.ts";
import { systemRandom } from "../src/platform/random.ts";
import { workerProcess } from "./lifecycle.ts";
import { hashingSockets } from "./sockets.ts";

/** Passwords and stored hashes are far smaller; whoever sends more is no worker of ours. */
const maxBodyBytes = 2 * 1024 * 1024;

/** Computes password hashes, one at a time, at a priority that leaves the cores to requests that need no hash. */
export async function runHashingWorker(slot: number): Promise<void> {
  const worker = await workerProcess("hashing", slot);
  const { config, log, metrics } = worker;
  lowerPriority(log);
  const kernel = await loadArgon2Kernel();
  const engine = createHashEngine(kernel, config.passwords.argon2, systemRandom);
  // The first hash of a process pays for its memory; not the first login.
  await engine.verifyDummy(Buffer.from("warm up"));
  const path = hashingSockets(config)[slot];
  if (path === undefined) throw new Error(`no socket for hashing worker ${slot}`);
  const share = Math.max(1, Math.ceil(config.passwords.queueLimit / config.server.hashingWorkers));
  const channel = await listenChannel(path, createHashHandler(engine, share, metrics), { log, maxBodyBytes });
  log.debug({ kernel: kernel.name, queue: share }, "hashing process serves");
  worker.onDrain(() => channel.drain(config.server.shutdownTimeoutMs));
  worker.ready();
}

/** On Linux a priority belongs to a thread: those the runtime has started already are lowered too, later ones inherit it. */
function lowerPriority(log: Log): void {
  const priority = constants.priority.PRIORITY_BELOW_NORMAL;
  try {
    setPriority(priority);
    if (process.platform !== "linux") return;
    for (const thread of readdirSync("/proc/self/task")) setPriority(Number(thread), priority);
  } catch (error) {
    log.warn({ err: error }, "the priority of a hashing process could not be lowered");
  }
}
