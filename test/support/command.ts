import { spawnSync } from "node:child_process";
import { project, type TestCluster } from "./cluster.ts";

/** Runs `authkit-server …` with a cluster's environment and changes to it; answers its exit code and everything it printed. */
export function command(
  cluster: TestCluster,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { readonly code: number | null; readonly text: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["src/cli/main.ts", ...args], {
    cwd: project,
    env: { ...cluster.env, ...env },
    encoding: "utf8",
    timeout: 60_000,
  });
  return { code: status, text: stdout + stderr };
}
