import { execFile } from "node:child_process";
import type { Log } from "./log/port.ts";

/** What tells systemd how the server is (sd_notify(3)). */
export interface ServiceManager {
  /** It serves: after its start, and after a reload. */
  ready(status: string): void;
  /** Its workers are being replaced, until `ready`. */
  reloading(): void;
  stopping(): void;
  /** Feeds the watchdog of the unit, when it has one, as long as `alive` says so. Returns what ends it. */
  watch(alive: () => Promise<boolean>): () => void;
}

/** A message is sent within milliseconds; longer, and the service manager itself hangs. */
const longestMs = 5_000;
/** So often within the time the watchdog grants. */
const pings = 4;

/** Milliseconds the watchdog grants between two signs of life; undefined without one, or when it is another process's. */
function watchdogMs(environment: NodeJS.ProcessEnv, pid: number): number | undefined {
  const { WATCHDOG_USEC: microseconds, WATCHDOG_PID: owner } = environment;
  if (owner !== undefined && Number(owner) !== pid) return undefined;
  const ms = Number(microseconds) / 1_000;
  return ms > 0 ? ms : undefined;
}

/**
 * The service manager that started this process; undefined when none wants to be told. Node has no Unix datagram sockets, so the messages go
 * through `systemd-notify`, and the unit needs `NotifyAccess=all`. A message that cannot be sent is logged, and nothing else: the server serves.
 */
export function serviceManager(
  environment: NodeJS.ProcessEnv,
  log: Log,
  pid: number = process.pid,
): ServiceManager | undefined {
  if ((environment["NOTIFY_SOCKET"] ?? "") === "") return undefined;
  // One after the other: "reloading" must not overtake "ready".
  let last = Promise.resolve();
  const notify = (...states: readonly string[]): Promise<void> => {
    const send = () =>
      new Promise<void>((resolve) => {
        execFile("systemd-notify", states, { env: environment, timeout: longestMs }, (error) => {
          if (error !== null) log.warn({ err: error, states }, "the service manager could not be told");
          resolve();
        });
      });
    last = last.then(send);
    return last;
  };
  return {
    ready: (status) => void notify("READY=1", `STATUS=${status}`),
    // systemd takes it for the answer to its own reload only when it knows that it is later (CLOCK_MONOTONIC).
    reloading: () =>
      void notify(
        "RELOADING=1",
        `MONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`,
        "STATUS=replacing workers",
      ),
    stopping: () => void notify("STOPPING=1", "STATUS=draining"),
    watch(alive) {
      const granted = watchdogMs(environment, pid);
      if (granted === undefined) return () => undefined;
      let asking = false;
      const ask = async (): Promise<void> => {
        if (asking) return;
        asking = true;
        try {
          if (await alive()) await notify("WATCHDOG=1");
          else log.warn({}, "no worker answers: the watchdog is not fed");
        } finally {
          asking = false;
        }
      };
      void ask();
      const timer = setInterval(() => void ask(), granted / pings);
      timer.unref();
      return () => clearInterval(timer);
    },
  };
}
