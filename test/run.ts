/**
 * `npm test`: makes sure the machine has what the tests need, then runs the checks and every test project in order, and ends with one
 * line `N passed, N failed`.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeDeploymentTools } from "./support/deployment-tools.ts";

interface Need {
  readonly command: string;
  readonly alternatives: readonly string[];
  readonly package: string;
  readonly reason: string;
}

const needs: readonly Need[] = [
  { command: "redis-server", alternatives: [], package: "redis-server", reason: "ephemeral state, limits" },
  {
    command: "chromium",
    alternatives: ["chromium-browser", "google-chrome"],
    package: "chromium",
    reason: "browser tests",
  },
  { command: "pgbouncer", alternatives: [], package: "pgbouncer", reason: "transaction pooling tests" },
  { command: "faketime", alternatives: [], package: "faketime", reason: "tests with clocks that jump" },
];

function has(command: string): boolean {
  const directories = `${process.env["PATH"] ?? ""}:/usr/sbin:/usr/local/sbin`.split(":");
  return directories.some((directory) => directory !== "" && existsSync(join(directory, command)));
}

function installMissing(): boolean {
  const missing = needs.filter((need) => ![need.command, ...need.alternatives].some(has));
  if (missing.length === 0) return true;
  const names = missing.map((need) => need.package);
  if (process.getuid?.() === 0 && has("apt-get")) {
    console.log(`Installing ${names.join(", ")} with apt-get…`);
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    spawnSync("apt-get", ["update", "-qq"], { stdio: "inherit", env });
    spawnSync("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...names], {
      stdio: ["ignore", "ignore", "inherit"],
      env,
    });
  }
  const still = needs.filter((need) => ![need.command, ...need.alternatives].some(has));
  for (const need of still) {
    console.error(
      `Missing: ${need.command} (${need.reason}). Install it, e.g. apt-get install ${need.package}`,
    );
  }
  return still.length === 0;
}

const scratch = mkdtempSync(join(tmpdir(), "authkit-test-"));
const env = { ...process.env, TEST_WIRE_RECORD: join(scratch, "wire") };

/** Runs a command with inherited output; true when it exited 0. */
function runs(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: "inherit", env }).status === 0;
}

interface VitestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numFailedTestSuites: number;
}

let passed = 0;
let failed = 0;

function step(name: string, work: () => boolean): void {
  const ok = work();
  if (ok) passed++;
  else {
    failed++;
    console.error(`FAILED: ${name}`);
  }
}

function project(name: string): void {
  const report = join(scratch, `${name}.json`);
  const ok = runs("vitest", [
    "run",
    "--project",
    name,
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${report}`,
    ...process.argv.slice(2),
  ]);
  if (!existsSync(report)) {
    failed++;
    console.error(`FAILED: ${name} wrote no report`);
    return;
  }
  const counts: VitestReport = JSON.parse(readFileSync(report, "utf8"));
  passed += counts.numPassedTests;
  failed += counts.numFailedTests;
  // A file that fails to load, or an unhandled error, fails the run without a failed test.
  if (!ok && counts.numFailedTests === 0) failed++;
}

/** Builds and tests the native kernel where cargo is; where it is not, or its packages cannot be had, the tests of the kernel are left out. */
function nativeKernel(): boolean {
  const manifest = ["--manifest-path", "native/hashing/Cargo.toml"];
  const fetched =
    has("cargo") &&
    runs("sh", ["native/hashing/unpack-lock"]) &&
    runs("cargo", ["fetch", "--quiet", "--locked", ...manifest]);
  if (!fetched) {
    console.log("The native hashing kernel is not built: it needs cargo and its packages.");
    return true;
  }
  return (
    runs("sh", ["native/hashing/build"]) &&
    runs("cargo", ["test", "--quiet", "--release", "--locked", ...manifest])
  );
}

try {
  step("system packages", installMissing);
  makeDeploymentTools();
  step("native kernel", nativeKernel);
  step("types", () => runs("npm", ["run", "--silent", "check:types"]));
  step("lint", () => runs("npm", ["run", "--silent", "check:lint"]));
  step("imports", () => runs("npm", ["run", "--silent", "check:imports"]));
  // Once here, and not by each of the servers that are started at the same time.
  step("bundle", () => runs("node", ["src/cli/main.ts", "prepare"]));
  for (const name of ["unit", "integration", "e2e", "faults"]) project(name);
  // A part of the tests sees a part of the answers.
  if (process.argv.length === 2)
    step("wire coverage", () => runs("node", ["test/coverage-wire.ts", env.TEST_WIRE_RECORD]));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
