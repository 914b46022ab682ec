import type { HttpEngineLimits } from "./engine.ts";

/** Fills in the defaults. */
export function completeLimits(limits: HttpEngineLimits): Required<HttpEngineLimits> {
  return {
    maxHeaderBytes: limits.maxHeaderBytes ?? 64 * 1024,
    headerTimeout: limits.headerTimeout ?? 5_000,
    bodyTimeout: limits.bodyTimeout ?? 30_000,
    idleTimeout: limits.idleTimeout ?? 120_000,
  };
}
