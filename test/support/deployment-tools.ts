import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";

/**
 * Programs by which those who deploy this judge the chart and the alert rules. They are kept in the user's cache, outside the project, and made
 * once. Where one cannot be had its tests say so, and the tests' own renderer of the chart stands in.
 */
const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "authkit-server-tests");

interface DeploymentTool {
  /** Where `make` puts it. */
  readonly file: string;
  /** Of the same program, when it is installed. */
  readonly command: string;
  readonly how: string;
  make(): void;
}

/** Longest that one tool may take; what a compiler did until then is kept, so that the next run ends it. */
const longestMs = 240_000;

function run(
  command: string,
  args: readonly string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
) {
  const { status } = spawnSync(command, args, { stdio: "ignore", timeout: longestMs, ...options });
  return status === 0;
}

function makeHelm(): void {
  run(
    "go",
    // Unoptimised: it renders two small charts, and is compiled in half the time.
    ["install", "-gcflags=all=-N -l", "-ldflags=-s -w", "helm.sh/helm/v3/cmd/helm@v3.19.0"],
    { env: { ...process.env, GOBIN: join(cache, "bin"), GOTOOLCHAIN: "local" } },
  );
}

/** From Debian's package of Prometheus, without installing it: that would start its service. */
function makePromtool(): void {
  const directory = mkdtempSync(join(tmpdir(), "authkit-promtool-"));
  try {
    const fetched = () => run("apt-get", ["download", "-qq", "prometheus"], { cwd: directory });
    if (!fetched() && !(run("apt-get", ["update", "-qq"]) && fetched())) return;
    const [archive] = readdirSync(directory).filter((name) => name.endsWith(".deb"));
    if (archive === undefined || !run("dpkg", ["-x", archive, "."], { cwd: directory })) return;
    copyFileSync(join(directory, "usr/bin/promtool"), join(cache, "bin/promtool"));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function makeKubernetesValidate(): void {
  const python = join(cache, "python");
  if (!run("python3", ["-m", "venv", python])) return;
  run(join(python, "bin/pip"), ["install", "--quiet", "kubernetes-validate==1.37.0"]);
}

const tools = {
  helm: { file: "bin/helm", command: "helm", how: "needs Go 1.24 or later", make: makeHelm },
  promtool: { file: "bin/promtool", command: "promtool", how: "needs Debian's apt", make: makePromtool },
  "kubernetes-validate": {
    file: "python/bin/kubernetes-validate",
    command: "kubernetes-validate",
    how: "needs Python 3 with venv",
    make: makeKubernetesValidate,
  },
} satisfies Readonly<Record<string, DeploymentTool>>;

export type DeploymentToolName = keyof typeof tools;

function installed(command: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(":")
    .map((directory) => join(directory, command))
    .find((path) => existsSync(path));
}

/** Path of the tool; undefined when this machine has none. */
export function deploymentTool(name: DeploymentToolName): string | undefined {
  const { file, command } = tools[name];
  const kept = join(cache, file);
  return existsSync(kept) ? kept : installed(command);
}

/** For the name of a test: whether the tool is there, and what to do. */
export function presence(name: DeploymentToolName): string {
  return deploymentTool(name) === undefined
    ? `${name} is not to be had (${tools[name].how}): left out`
    : name;
}

/** Makes the tools that are missing and can be made here, and says which cannot. */
export function makeDeploymentTools(): void {
  mkdirSync(join(cache, "bin"), { recursive: true });
  for (const name of Object.keys(tools)) {
    if (name !== "helm" && name !== "promtool" && name !== "kubernetes-validate") continue;
    if (deploymentTool(name) !== undefined) continue;
    console.log(`Fetching ${name} into ${cache} (once)…`);
    tools[name].make();
    if (deploymentTool(name) === undefined)
      console.log(`The tests do without ${name}: it ${tools[name].how}, and a network.`);
  }
}
