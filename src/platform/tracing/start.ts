import type { Log } from "../log/port.ts";
import type { Tracing } from "./port.ts";

/** The SDK that is started when it is installed and none was registered. */
export const sdkPackage = "@opentelemetry/sdk-node";

/**
 * Turns tracing on for this process. An SDK registered beforehand (`node --import`) is used as it is; otherwise the installed one is started with
 * the standard `OTEL_*` variables. Without any, spans go nowhere, which is said once, and undefined comes back.
 *
 * @param worker name of the process, part of its `service.instance.id`
 */
export async function startTracing(worker: string, log: Log): Promise<Tracing | undefined> {
  const { createTracing, isSdkRegistered } = await import("./opentelemetry.ts");
  if (isSdkRegistered()) return createTracing(() => Promise.resolve());
  try {
    const { startSdk } = await import("./sdk.ts");
    return createTracing(startSdk(worker));
  } catch (error) {
    if (!isMissingSdk(error)) throw error;
    log.warn(
      {},
      `AUTHKIT_TRACING is on, but there is no SDK: install ${sdkPackage}, or load one with NODE_OPTIONS=--import`,
    );
    return undefined;
  }
}

function isMissingSdk(error: unknown): boolean {
  return (
    error instanceof Error &&
    Reflect.get(error, "code") === "ERR_MODULE_NOT_FOUND" &&
    error.message.includes(sdkPackage)
  );
}
