import { loadConfig } from "../../config/index.ts";

const usage = `Usage: authkit-server healthcheck [--live]

Asks the server of this machine whether it is ready, for containers without a shell. Exit code: 0 yes, 1 no.

  --live   Asks only whether it answers at all.`;

const timeoutMs = 2_500;

/** Hosts that mean every interface are reached through loopback. */
function reachable(host: string | undefined): string {
  if (host === undefined || host === "0.0.0.0") return "127.0.0.1";
  if (host === "::") return "[::1]";
  return host.includes(":") ? `[${host}]` : host;
}

/** `authkit-server healthcheck`. Returns the exit code. */
export async function healthcheckCommand(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
): Promise<number> {
  const live = args[0] === "--live";
  if (args.length > (live ? 1 : 0)) {
    print(usage);
    return args.includes("--help") || args.includes("-h") ? 0 : 2;
  }
  const { host, port } = loadConfig(environment).config.server.listen;
  const address = `http://${reachable(host)}:${port}${live ? "/healthz" : "/readyz"}`;
  try {
    const response = await fetch(address, { signal: AbortSignal.timeout(timeoutMs) });
    const text = (await response.text()).trim();
    if (response.ok) return 0;
    print(text);
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    print(`${address}: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
  return 1;
}
