import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { silentLog } from "../../../src/platform/log/port.ts";
import { claimDirectory } from "../../../src/platform/postgres/embedded-claim.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "authkit-claim-"));
});
afterAll(() => rm(directory, { recursive: true }));

const claim = () => claimDirectory(directory, join(directory, "data"), silentLog);

async function ownedBy(pid: number): Promise<void> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
  await writeFile(join(directory, "owner.json"), JSON.stringify({ pid, started }));
}

test.runIf(process.platform === "linux")(
  "a directory of a live process is refused, and names it",
  async () => {
    await ownedBy(process.pid);
    await expect(claim()).rejects.toThrow(`in use by process ${process.pid}`);
  },
);

test.runIf(process.platform === "linux")(
  "a killed owner nobody has taken note of, as below the first process of a container, is no owner",
  async () => {
    // The shell becomes a program that never asks after its children.
    const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    try {
      const pid = Number(await new Promise((resolve) => parent.stdout.once("data", resolve)));
      await expect.poll(() => readFile(`/proc/${pid}/stat`, "utf8"), { timeout: 10_000 }).toContain(") Z ");
      await ownedBy(pid);
      const taken = await claim();
      expect(JSON.parse(await readFile(join(directory, "owner.json"), "utf8"))).toMatchObject({
        pid: process.pid,
      });
      await taken.release();
    } finally {
      parent.kill("SIGKILL");
    }
  },
);
