import { test } from "vitest";
import { startCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { nothingFailed, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost, until } from "../support/outcome.ts";
import { workersOf } from "../support/processes.ts";
import { startSmtpSink } from "../support/smtp.ts";

test("SIGHUP replaces every worker under keep-alive load and fails no request", async ({ annotate }) => {
  const mail = await startSmtpSink();
  const cluster = await startCluster({ env: { AUTHKIT_CONFIG: await unlimited(), ...sending(mail) } });
  try {
    const kinds = ["http", "management", "hashing", "jobs"] as const;
    // The server is ready before its last worker, the one for jobs, is forked.
    await until("every worker is there", 30, () =>
      kinds.every((kind) => workersOf(cluster.pid, kind).length > 0),
    );
    const before = kinds.flatMap((kind) => workersOf(cluster.pid, kind));
    const load = await startLoad(cluster, { mail });
    await everyKindSucceeds(load);
    cluster.process.kill("SIGHUP");
    await until("every worker is another one", 180, () => {
      const now = kinds.flatMap((kind) => workersOf(cluster.pid, kind));
      return now.length === before.length && now.every((pid) => !before.includes(pid));
    });
    await everyKindSucceeds(load, 5);
    await load.stop();
    nothingFailed(load);
    await nothingLost(cluster, load, annotate, { repeats: 0 });
  } finally {
    await cluster.stop();
    await mail.stop();
  }
}, 360_000);
