import { readFile, readlink } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startAgain, startCluster, type TestCluster } from "../support/cluster.ts";
import { unlimited } from "../support/faulty.ts";
import { onlyUnavailable, sending, startLoad } from "../support/load.ts";
import { everyKindSucceeds, nothingLost, until } from "../support/outcome.ts";
import { familyOf, isRunning, type WorkerKind, workersOf } from "../support/processes.ts";
import { type SmtpSink, startSmtpSink } from "../support/smtp.ts";

const kinds: readonly WorkerKind[] = ["http", "management", "hashing", "jobs"];
let mail: SmtpSink;
beforeAll(async () => {
  mail = await startSmtpSink();
});
afterAll(() => mail?.stop());

const env = async (): Promise<Record<string, string>> => ({
  AUTHKIT_CONFIG: await unlimited(),
  ...sending(mail),
});
/** Nobody tells the workers to end: they notice, and answer what has reached them. On a quiet machine that is over in two seconds. */
const orphanSeconds = 10;

const workers = (primary: number): number[] => kinds.flatMap((kind) => workersOf(primary, kind));

/** Whether a program that shares its port with nobody could listen there. */
function isFree(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen({ host: "127.0.0.1", port: Number(new URL(url).port), exclusive: true }, () =>
      probe.close(() => resolve(true)),
    );
  });
}

async function allServe(cluster: TestCluster): Promise<void> {
  await until("every worker is there", 60, () =>
    kinds.every((kind) => workersOf(cluster.pid, kind).length > 0),
  );
}

async function killed(cluster: TestCluster): Promise<void> {
  cluster.process.kill("SIGKILL");
  await cluster.exited;
}

describe("kill -9 of the primary under load", () => {
  test("its workers end by themselves and free the port; a start with the same settings serves, and nothing acknowledged is lost", async ({
    annotate,
  }) => {
    const first = await startCluster({ env: await env() });
    let second: TestCluster | undefined;
    try {
      await allServe(first);
      const load = await startLoad(first, { mail });
      await everyKindSucceeds(load);
      const orphans = workers(first.pid);
      expect(orphans).toHaveLength(5);

      const began = performance.now();
      await killed(first);
      await until("the port is free", orphanSeconds, () => isFree(first.url));
      const freeMs = Math.round(performance.now() - began);
      await until("no worker runs", orphanSeconds, () => !orphans.some(isRunning));
      const endedMs = Math.round(performance.now() - began);

      second = await startAgain(first);
      await everyKindSucceeds(load);
      await load.stop();
      onlyUnavailable(load);
      await nothingLost(second, load, annotate);
      await annotate(`after the kill: port free in ${freeMs} ms, last worker gone in ${endedMs} ms`);
    } finally {
      await second?.stop();
      await first.stop();
    }
  }, 300_000);

  test("killed again and again, and started at once: no start is in the way of the next", async ({
    annotate,
  }) => {
    const first = await startCluster({ env: await env() });
    let current = first;
    try {
      const load = await startLoad(first, { mail });
      for (let round = 0; round < 3; round++) {
        await everyKindSucceeds(load);
        // As its workers are being replaced, there are two generations of them.
        if (round === 1) current.process.kill("SIGHUP");
        const orphans = familyOf(current.pid);
        await killed(current);
        current = await startAgain(current);
        await until("no process of the killed server runs", orphanSeconds, () => !orphans.some(isRunning));
      }
      await everyKindSucceeds(load);
      await load.stop();
      onlyUnavailable(load);
      await nothingLost(current, load, annotate);
    } finally {
      if (current !== first) await current.stop();
      await first.stop();
    }
  }, 300_000);

  test("with the embedded database: the next start takes it over, and all that was acknowledged is there", async ({
    annotate,
  }) => {
    const first = await startCluster({
      databaseUrl: "embedded",
      env: { ...(await env()), AUTHKIT_ENV: "development" },
    });
    const directory = join(first.env["AUTHKIT_STATE_DIR"] ?? "", "postgres");
    const postmaster = async (): Promise<number> => {
      const text = await readFile(join(directory, "data", "postmaster.pid"), "utf8");
      return Number(text.split("\n")[0]);
    };
    let second: TestCluster | undefined;
    try {
      await allServe(first);
      const load = await startLoad(first, { mail });
      await everyKindSucceeds(load);
      const orphans = [...workers(first.pid), await postmaster()];
      await killed(first);

      second = await startAgain(first);
      await until("no process of the killed server runs", orphanSeconds, () => !orphans.some(isRunning));
      expect(await readlink(`/proc/${await postmaster()}/cwd`)).toBe(join(directory, "data"));
      await everyKindSucceeds(load);
      await load.stop();
      onlyUnavailable(load);
      const [password, port] = await Promise.all([
        readFile(join(directory, "password"), "utf8"),
        readFile(join(directory, "port"), "utf8"),
      ]);
      const databaseUrl = `postgres://postgres:${password.trim()}@127.0.0.1:${port.trim()}/authkit`;
      await nothingLost({ ...second, databaseUrl }, load, annotate);
      const successor = await postmaster();
      expect(await second.stop()).toBe(0);
      expect(isRunning(successor)).toBe(false);
    } finally {
      await second?.stop();
      await first.stop();
    }
  }, 300_000);
});
