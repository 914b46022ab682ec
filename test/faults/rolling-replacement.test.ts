import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { project, startCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import type { FreshConnections } from "../support/fresh-connections.ts";
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

const run = promisify(execFile);

/** Where the kernel hands connections that a closing listener has not accepted to the other listeners of the port. */
const migratingNamespace = [
  ...["unshare", "--net", "sh", "-c"],
  'ip link set lo up && echo 1 > /proc/sys/net/ipv4/tcp_migrate_req && exec "$@"',
  "sh",
];

/** Whether a network namespace can be made and set up here; that takes the rights of root. */
async function canMigrate(): Promise<boolean> {
  const [program = "", ...args] = [...migratingNamespace, "true"];
  return run(program, args).then(
    () => true,
    () => false,
  );
}

test("SIGHUP under requests that each come over a fresh connection: where the kernel migrates them, none fails", async ({
  annotate,
}) => {
  const within = (await canMigrate()) ? migratingNamespace : [];
  const [program = "", ...args] = [...within, process.execPath, "test/support/fresh-connections.ts"];
  const { stdout } = await run(program, args, { cwd: project });
  const counted: FreshConnections = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  const { migrating, replacements, succeeded, failed } = counted;
  await annotate(
    `${replacements} replacements, net.ipv4.tcp_migrate_req=${migrating ? 1 : 0}: ${succeeded} requests answered, failed: ${JSON.stringify(failed)}`,
  );
  expect(succeeded).toBeGreaterThan(100);
  if (migrating) expect(failed).toEqual({});
  // What sat in the queue of a listener that closes is reset by the kernel.
  else expect(Object.keys(failed).filter((code) => code !== "ECONNRESET")).toEqual([]);
}, 600_000);
