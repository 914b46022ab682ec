import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { ManagementConfig, ServerConfig } from "../config.ts";
import { formatListenAddress, isLoopback } from "../network.ts";
import type { Input } from "./input.ts";

/** `sun_path` of Linux holds 107 bytes and a NUL; the longest file name put below the directory takes this many. */
const longestSocketDirectory = 107 - "/management-999.sock".length;

export function composeServer(input: Input): ServerConfig {
  const { values, findings, cpus } = input;
  if (values.shutdownTimeout <= 0)
    findings.refuse("AUTHKIT_SHUTDOWN_TIMEOUT", "is not above zero", "use for example 20s");
  if (values.metricsListen !== undefined && samePort(values.metricsListen, values.listen)) {
    findings.refuse(
      "AUTHKIT_METRICS_LISTEN_ADDR",
      `has the port of AUTHKIT_LISTEN_ADDR, ${values.listen.port}`,
      "use another port",
    );
  }
  return {
    listen: values.listen,
    metricsListen: values.metricsListen,
    httpWorkers: values.httpWorkers || cpus,
    managementWorkers: values.managementWorkers || 1,
    hashingWorkers: values.hashingWorkers || cpus,
    engine: values.engine,
    trustedProxies: values.trustedProxies,
    trustCloudflare: values.trustCloudflare,
    corsOrigins: values.corsOrigins,
    shutdownTimeoutMs: values.shutdownTimeout,
    socketDirectory: socketDirectory(input),
    maxBodyBytes: values.maxBodyBytes,
  };
}

function samePort(one: { port: number }, other: { port: number }): boolean {
  return one.port !== 0 && one.port === other.port;
}

function socketDirectory({ values, development, findings }: Input): string {
  if (values.socketDirectory !== undefined) {
    if (Buffer.byteLength(resolve(values.socketDirectory)) > longestSocketDirectory) {
      findings.refuse(
        "AUTHKIT_SOCKET_DIR",
        `is longer than ${longestSocketDirectory} bytes`,
        "Unix sockets need a short path",
      );
    }
    return values.socketDirectory;
  }
  const inState = join(values.stateDirectory, "sockets");
  if (development && Buffer.byteLength(resolve(inState)) <= longestSocketDirectory) return inState;
  // Two servers on one machine listen on different addresses, so their sockets never meet.
  const distinct = createHash("sha256")
    .update(`${process.cwd()}\n${formatListenAddress(values.listen)}`)
    .digest("hex");
  return join(tmpdir(), `authkit-${process.getuid?.() ?? 0}-${distinct.slice(0, 12)}`);
}

const recommendedTokenLength = 32;

/** The management API is open only when asked for, in development, on loopback; production needs a token or goes without it. */
export function composeManagement(input: Input): ManagementConfig {
  const { values, findings, development } = input;
  const listen = values.managementListen;
  if (
    listen !== undefined &&
    (samePort(listen, values.listen) ||
      (values.metricsListen !== undefined && samePort(listen, values.metricsListen)))
  ) {
    findings.refuse(
      "AUTHKIT_MGMT_LISTEN_ADDR",
      `has a port another listener uses, ${listen.port}`,
      "use another port",
    );
  }
  const tokens = managementTokens(input);
  if (values.managementOpen) checkOpen(input);
  if (!development && tokens.length === 0 && !values.managementDisabled && !values.managementOpen) {
    findings.refuse(
      "AUTHKIT_MGMT_TOKEN",
      "is not set, and production needs a management token",
      "set it, or AUTHKIT_MGMT_DISABLED=true to run without the management API",
    );
  }
  const introspectToken = values.managementDisabled ? undefined : values.introspectToken;
  if (introspectToken !== undefined && tokens.includes(introspectToken)) {
    findings.refuse(
      "AUTHKIT_INTROSPECT_TOKEN",
      "is also a management token",
      "use a token of its own: it is handed to servers that need no more",
    );
  }
  return {
    tokens,
    introspectToken,
    open: values.managementOpen && development && !values.managementDisabled,
    listen,
  };
}

function managementTokens({ values, findings, development, developmentSecrets }: Input): readonly string[] {
  const given = [...new Set([...(values.managementToken ?? []), ...(values.managementTokenNext ?? [])])];
  if (values.managementDisabled) {
    if (given.length > 0)
      findings.refuse(
        "AUTHKIT_MGMT_DISABLED",
        "is true while a management token is set",
        "remove one of the two",
      );
    return [];
  }
  if (!development && given.some((token) => token.length < recommendedTokenLength)) {
    findings.warn("AUTHKIT_MGMT_TOKEN", `a token has fewer than ${recommendedTokenLength} characters`);
  }
  if (given.length > 0 || !development || values.managementOpen) return given;
  return developmentSecrets === undefined ? [] : [developmentSecrets.managementToken];
}

function checkOpen({ values, findings, development }: Input): void {
  const where = "AUTHKIT_MGMT_OPEN";
  if (!development) findings.refuse(where, "is true outside development", "set AUTHKIT_MGMT_TOKEN instead");
  if (values.managementToken !== undefined || values.managementTokenNext !== undefined) {
    findings.refuse(where, "is true while a management token is set", "remove one of the two");
  }
  if (values.managementDisabled)
    findings.refuse(where, "is true while AUTHKIT_MGMT_DISABLED is too", "remove one of the two");
  const listen = values.managementListen ?? values.listen;
  if (!isLoopback(listen.host)) {
    findings.refuse(
      where,
      `is true while the API listens on ${formatListenAddress(listen)}`,
      "listen on loopback, for example AUTHKIT_LISTEN_ADDR=127.0.0.1:8080",
    );
  }
}
