import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { copyPlaces, openRelinked } from "./copy.ts";
import type { NativeModule } from "./native.ts";

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

/** The library's binary for this machine and Node. Throws when the package is not installed. */
function installedBinary(): string {
  const directory = dirname(createRequire(import.meta.url).resolve("uWebSockets.js"));
  return join(directory, `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`);
}

function planHere(): "direct" | "relinked" {
  const plan = loadingPlan(process.platform, process.platform === "linux" ? runtimeGlibc() : undefined);
  if (typeof plan === "object") throw new EngineUnavailable(plan.unavailable);
  return plan;
}

function open(path: string): NativeModule {
  const target: { exports: unknown } = { exports: {} };
  process.dlopen(target, path);
  if (!isNativeModule(target.exports)) throw new Error("the binary has an unknown interface");
  return target.exports;
}

/** Through the first place whose copy can be had and mapped: a directory may be read-only, or on a file system that runs nothing. */
function openCopy(binary: string, stateDirectory: string | undefined): NativeModule {
  const refusals: string[] = [];
  for (const directory of copyPlaces(stateDirectory)) {
    try {
      const copy = openRelinked(binary, directory);
      if (copy === undefined) return open(binary);
      try {
        return open(copy.path);
      } finally {
        copy.close();
      }
    } catch (error) {
      refusals.push(`${directory}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`no place for the copy that this glibc can load (${refusals.join("; ")})`);
}

/**
 * Loads uWebSockets.js. `maxHeaderBytes` bounds request heads and is fixed by the first load in a process, because the library reads it from
 * the environment once. `stateDirectory` may take a copy where the installation cannot. Throws `EngineUnavailable` when there is no usable
 * binary for this machine.
 */
export function loadNative(maxHeaderBytes: number, stateDirectory?: string): NativeModule {
  const plan = planHere();
  try {
    const binary = installedBinary();
    const known = loaded.get(binary);
    if (known) return known;
    process.env["UWS_HTTP_MAX_HEADERS_SIZE"] = String(maxHeaderBytes);
    const native = plan === "direct" ? open(binary) : openCopy(binary, stateDirectory);
    native._cfg(SILENT_MARK);
    loaded.set(binary, native);
    return native;
  } catch (cause) {
    throw new EngineUnavailable(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/**
 * Puts the copy that this machine's glibc needs into the installation, for users who cannot write there; says what was done. Throws
 * `EngineUnavailable` where the library cannot run, and what the file system throws.
 */
export function prepareNative(): string {
  if (planHere() === "direct") return "uWebSockets.js is loaded as it is installed";
  const [directory] = copyPlaces();
  const copy = directory === undefined ? undefined : openRelinked(installedBinary(), directory);
  copy?.close();
  return copy === undefined ? "uWebSockets.js is loaded as it is installed" : `uWebSockets.js: ${copy.file}`;
}
