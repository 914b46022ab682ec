import { spawn } from "node:child_process";
import { appendFileSync, chmodSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { api } from "../support/accounts.ts";
import { startCluster } from "../support/cluster.ts";
import { until } from "../support/outcome.ts";
import { argumentsOf, workersOf } from "../support/processes.ts";
import { makeRelease, type TestRelease } from "../support/release.ts";

let release: TestRelease;
afterEach(() => release?.remove());

function cli(...args: readonly string[]): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ["src/cli/main.ts", ...args], { cwd: release.directory });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (output += text));
    child.once("close", (code) => resolve({ code, output }));
  });
}

const made = (): string[] => readdirSync(join(release.directory, ".bundle")).sort();
const change = (): void => appendFileSync(join(release.directory, "src/cli/commands.ts"), "// changed\n");

/** Makes whoever runs this bundle say so. */
function mark(bundle: string): string {
  const text = `this is ${bundle}`;
  writeFileSync(join(release.directory, ".bundle", bundle, "cli.mjs"), `console.log("${text}")`);
  return text;
}

/** The files that the workers of a cluster run. */
const run = (primary: number): ReadonlySet<string> =>
  new Set(
    (["http", "management", "hashing", "jobs"] as const)
      .flatMap((kind) => workersOf(primary, kind))
      .flatMap(
        (pid) => argumentsOf(pid).find((part) => part.startsWith("/") && /\.(ts|mjs)$/.test(part)) ?? [],
      ),
  );

test("made by several at once it is there once; commands run it as long as the sources are those it was made from", async () => {
  release = await makeRelease({});
  const prepared = await Promise.all([cli("prepare"), cli("prepare"), cli("prepare")]);
  for (const { code, output } of prepared) expect(code, output).toBe(0);
  const [first = "", ...others] = made();
  expect(others).toEqual([]);
  const version = { code: 0, output: expect.stringMatching(/^authkit-server \d/) };
  expect(await cli("version")).toEqual(version);
  const text = mark(first);
  expect(await cli("version")).toEqual({ code: 0, output: `${text}\n` });

  // Somebody else may write there.
  chmodSync(join(release.directory, ".bundle", first), 0o777);
  expect(await cli("version")).toEqual(version);
  chmodSync(join(release.directory, ".bundle", first), 0o755);
  expect((await cli("version")).output).toBe(`${text}\n`);

  change();
  expect(await cli("version")).toEqual(version);
  expect(made()).toEqual([first]);
  expect((await cli("prepare")).code).toBe(0);
  expect(made()).toHaveLength(2);
  expect(await cli("version")).toEqual(version);

  // A server that runs may still need the one before; older ones go.
  for (let n = 0; n < 2; n++) {
    change();
    expect((await cli("prepare")).code).toBe(0);
  }
  expect(made()).toHaveLength(3);
  expect(made()).not.toContain(first);
});

test("a start makes it, and a replacement takes the sources as they are then", async () => {
  release = await makeRelease({});
  const cluster = await startCluster({ program: release.directory });
  try {
    const [first = ""] = made();
    const place = join(release.directory, ".bundle");
    await until("all workers to run", 30, async () => workersOf(cluster.pid, "jobs").length === 1);
    expect([...run(cluster.pid)]).toEqual([join(place, first, "worker.mjs")]);

    change();
    cluster.process.kill("SIGHUP");
    const second = (): string | undefined => made().find((name) => name !== first && !name.startsWith("."));
    await until("every worker to be replaced", 60, async () => {
      const running = [...run(cluster.pid)];
      return running.length === 1 && running[0] === join(place, second() ?? "", "worker.mjs");
    });
    expect((await api(cluster, "/register/availability?username=somebody_new", {})).status).toBe(200);
  } finally {
    await cluster.stop();
  }
});

test("sources that the bundler cannot read start as they are, and say why", async () => {
  release = await makeRelease({});
  // Never run, and so no matter to the server; the bundler minds it.
  appendFileSync(
    join(release.directory, "src/cli/hash.ts"),
    `\nexport const late = () => import("./nowhere.ts");\n`,
  );
  const cluster = await startCluster({ program: release.directory });
  try {
    expect([...run(cluster.pid)]).toEqual([join(release.directory, "workers/main.ts")]);
    expect(cluster.output()).toContain("starts from its sources");
    expect(cluster.output()).toContain("nowhere");
  } finally {
    await cluster.stop();
  }
});
