import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { NativeModule } from "./native.ts";
import { relinkedCopy } from "./relink.ts";

/** Why uWebSockets.js cannot serve on this machine. */
export class EngineUnavailable extends Error {
  override readonly name = "EngineUnavailable";
}

// Suppresses the header by which the library names itself in every reply.
const SILENT_MARK = "999999990007";

const loaded = new Map<string, NativeModule>();

function isNativeModule(value: unknown): value is NativeModule {
  return (
    typeof value === "object" &&
    value !== null &&
    ["App", "us_listen_socket_close", "us_socket_local_port", "_cfg"].every(
      (name) => typeof Reflect.get(value, name) === "function",
    )
  );
}

/** Version of the running glibc as [major, minor]; undefined on musl and on other systems. */
export function runtimeGlibc(): readonly [major: number, minor: number] | undefined {
  const report: unknown = process.report.getReport();
  const header: unknown =
    typeof report === "object" && report !== null ? Reflect.get(report, "header") : undefined;
  const version: unknown =
    typeof header === "object" && header !== null ? Reflect.get(header, "glibcVersionRuntime") : undefined;
  const match = typeof version === "string" ? /^(\d+)\.(\d+)/.exec(version) : null;
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}

/** How the Linux binaries, built against glibc 2.38, can be loaded with a given glibc; a text says why they cannot. */
export function loadingPlan(
  platform: NodeJS.Platform,
  glibc: readonly [number, number] | undefined,
): "direct" | "relinked" | { readonly unavailable: string } {
  if (platform !== "linux") return "direct";
  if (glibc === undefined) return { unavailable: "no glibc (musl?)" };
  const [major, minor] = glibc;
  if (major > 2 || minor >= 38) return "direct";
  if (minor >= 36) return "relinked";
  return { unavailable: `glibc ${major}.${minor} is older than 2.36` };
}

/**
 * Loads uWebSockets.js. `maxHeaderBytes` bounds request heads and is fixed by the first load in a process, because the library reads it from
 * the environment once. Throws `EngineUnavailable` when there is no usable binary for this machine.
 */
export function loadNative(maxHeaderBytes: number): NativeModule {
  const plan = loadingPlan(process.platform, process.platform === "linux" ? runtimeGlibc() : undefined);
  if (typeof plan === "object") throw new EngineUnavailable(plan.unavailable);
  try {
    const directory = dirname(createRequire(import.meta.url).resolve("uWebSockets.js"));
    const binary = join(
      directory,
      `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`,
    );
    const known = loaded.get(binary);
    if (known) return known;
    const cache = join(directory, "..", ".cache", "authkit-server", "uws");
    const path = plan === "direct" ? binary : relinkedCopy(binary, cache);
    process.env["UWS_HTTP_MAX_HEADERS_SIZE"] = String(maxHeaderBytes);
    const target: { exports: unknown } = { exports: {} };
    process.dlopen(target, path);
    if (!isNativeModule(target.exports)) throw new Error("the binary has an unknown interface");
    target.exports._cfg(SILENT_MARK);
    loaded.set(binary, target.exports);
    return target.exports;
  } catch (cause) {
    throw new EngineUnavailable(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}
