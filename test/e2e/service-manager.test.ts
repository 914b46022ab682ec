import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { startCluster } from "../support/cluster.ts";
import { until } from "../support/outcome.ts";
import { workersOf } from "../support/processes.ts";

const directory = mkdtempSync(join(tmpdir(), "authkit-notify-"));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const record = join(directory, "sent");
const sent = (word: string): number =>
  existsSync(record) ? readFileSync(record, "utf8").split(word).length - 1 : 0;

// Most of the time is the workers' starts, and the 10 s after which a worker counts as hung.
test("the service manager learns of start, life, replacement and end", async () => {
  writeFileSync(join(directory, "systemd-notify"), `#!/bin/sh\necho "$*" >> "${record}"\n`, { mode: 0o755 });
  const cluster = await startCluster({
    startTimeout: 120,
    env: {
      PATH: `${directory}:${process.env["PATH"]}`,
      NOTIFY_SOCKET: join(directory, "notify"),
      WATCHDOG_USEC: "2000000",
      AUTHKIT_HTTP_WORKERS: "1",
    },
  });
  try {
    await until("it is ready", 60, () => sent("READY=1") === 1);
    await until("the watchdog is fed", 60, () => sent("WATCHDOG=1") > 1);

    cluster.process.kill("SIGHUP");
    await until("it replaces", 60, () => sent("RELOADING=1") === 1);
    await until("it is ready again", 120, () => sent("READY=1") === 2);

    const [worker] = workersOf(cluster.pid, "http");
    if (worker === undefined) throw new Error("no http worker");
    process.kill(worker, "SIGSTOP");
    await until("the hung worker is noticed", 120, () =>
      cluster.output().includes("the watchdog is not fed"),
    );
    const fed = sent("WATCHDOG=1");
    process.kill(worker, "SIGCONT");
    await until("it is fed again", 60, () => sent("WATCHDOG=1") > fed);
  } finally {
    await cluster.stop();
  }
  expect(sent("STOPPING=1")).toBe(1);
}, 480_000);
