import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { entriesName } from "../../src/platform/compile-cache.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { type Installation, makeInstallation } from "../support/installation.ts";
import { workersOf } from "../support/processes.ts";

/** The image's user, and whoever systemd makes up. */
const uid = 65_532;
const root = process.getuid?.() === 0 && process.platform === "linux";

describe.runIf(root)("a program that root installed and another user runs", { timeout: 300_000 }, () => {
  let installation: Installation;
  const cache = () => join(installation.directory, "node_modules/.cache/authkit-server");

  beforeAll(async () => {
    installation = await makeInstallation();
  });
  afterAll(() => installation?.remove());

  async function serving(): Promise<{ readonly cluster: TestCluster; readonly engine: unknown }> {
    const cluster = await startCluster({
      program: installation.directory,
      node: installation.node,
      uid,
      env: { HOME: "/", AUTHKIT_HTTP_WORKERS: "1" },
      startTimeout: 150,
    });
    let line: string | undefined;
    // It answers before the primary has heard of it.
    for (let n = 0; n < 600 && line === undefined; n++) {
      await delay(50);
      line = cluster
        .output()
        .split("\n")
        .find((text) => text.includes(`"msg":"serving"`));
    }
    return { cluster, engine: JSON.parse(line ?? "{}").engine };
  }

  /** How many files a process of that user finds compiled, and how many not. */
  function compiled(state: string): { readonly taken: number; readonly missed: number } {
    const env = { PATH: process.env["PATH"], AUTHKIT_STATE_DIR: state, NODE_DEBUG_NATIVE: "COMPILE_CACHE" };
    const { stderr } = spawnSync(installation.node, ["src/cli/main.ts", "config", "schema"], {
      cwd: installation.directory,
      env,
      uid,
      gid: uid,
      encoding: "utf8",
      maxBuffer: 2 ** 26,
    });
    const count = (pattern: RegExp) => [...stderr.matchAll(pattern)].length;
    return { taken: count(/ was accepted/g), missed: count(/ was not initialized, initializing/g) };
  }

  test("serves with uWebSockets.js, by a copy of its own, when nobody prepared the installation", async () => {
    const { cluster, engine } = await serving();
    try {
      expect(engine, cluster.output()).toBe("uws");
      expect(() => statSync(cache())).toThrow("ENOENT");
    } finally {
      await cluster.stop();
    }
  });

  test("serves with uWebSockets.js from the prepared installation, and writes nothing there", async () => {
    // The mask of a careful administrator must not lock the server out.
    execFileSync("sh", ["-c", "umask 077; exec bin/authkit-server prepare"], {
      cwd: installation.directory,
      env: { ...process.env, PATH: `${dirname(installation.node)}:${process.env["PATH"]}` },
    });
    const before = readdirSync(cache(), { recursive: true });
    expect(before.length).toBeGreaterThan(1);
    const { cluster, engine } = await serving();
    try {
      expect(engine, cluster.output()).toBe("uws");
      expect(readdirSync(cluster.env["AUTHKIT_STATE_DIR"] ?? "")).not.toContain("uws");
      expect(readdirSync(cache(), { recursive: true })).toEqual(before);
      const [bundle = ""] = readdirSync(join(installation.directory, ".bundle"));
      const [worker] = workersOf(cluster.pid, "http");
      expect(readFileSync(`/proc/${worker}/cmdline`, "utf8")).toContain(`.bundle/${bundle}/worker.mjs`);
    } finally {
      await cluster.stop();
    }
  });

  test("is named the compiled code before its first line, where there is some for its user", () => {
    const kept = join(cache(), "compiled");
    const version = (): readonly string[] => {
      const { stdout, stderr } = spawnSync(join(installation.directory, "bin/authkit-server"), ["version"], {
        env: {
          PATH: `${dirname(installation.node)}:${process.env["PATH"]}`,
          NODE_DEBUG_NATIVE: "COMPILE_CACHE",
        },
        uid,
        gid: uid,
        encoding: "utf8",
        maxBuffer: 2 ** 26,
      });
      expect(stdout).toMatch(/^authkit-server \d/);
      // The command line's own first file, which would have its types stripped.
      return stderr
        .split("\n")
        .filter((line) => line.includes("cli/main.ts") && line.includes("was accepted"));
    };
    expect(version()).toEqual([]);
    // As the image has it for its user.
    symlinkSync(entriesName(0), join(kept, entriesName(uid)));
    expect(version()).not.toEqual([]);
    rmSync(join(kept, entriesName(uid)));
  });

  test("starts from the compiled code of the prepared installation, and else from its own", () => {
    const state = mkdtempSync(join(tmpdir(), "authkit-state-"));
    try {
      chownSync(state, uid, uid);
      const shared = compiled(state);
      expect(shared.taken).toBeGreaterThan(5);
      expect(shared.missed).toBe(0);
      const entries = join(cache(), "compiled", entriesName(0));
      expect(readlinkSync(join(state, "compiled", entriesName(uid)))).toBe(entries);
      // Somebody else may write there: nothing is run from it, and the user's own entries take its place.
      chmodSync(entries, 0o777);
      expect(compiled(state).missed).toBeGreaterThan(5);
      expect(compiled(state).missed).toBe(0);
      expect(lstatSync(join(state, "compiled", entriesName(uid))).isDirectory()).toBe(true);
    } finally {
      rmSync(state, { recursive: true });
    }
  });
});

test.skipIf(root)("a program that another user runs (needs root: left out)", () => undefined);
