import { hash, timingSafeEqual } from "node:crypto";
import type { ManagementConfig } from "../config/config.ts";

/** What a bearer opens: everything, the introspection methods, or nothing. */
export type Grant = "all" | "introspection" | "none";

function digest(text: string): Buffer {
  return hash("sha256", text, "buffer");
}

/**
 * Judges `Authorization` values: `Bearer `, one space, the token, byte for byte. Digests of equal length are compared in constant time and
 * against every token, so the time taken tells nothing about any of them.
 */
export function createTokenCheck(
  config: Pick<ManagementConfig, "tokens" | "introspectToken" | "open">,
): (authorization: string | undefined) => Grant {
  if (config.open) return () => "all";
  const full = config.tokens.filter((token) => token !== "").map((token) => digest(`Bearer ${token}`));
  const introspection = config.introspectToken ? digest(`Bearer ${config.introspectToken}`) : undefined;
  return (authorization) => {
    if (authorization === undefined) return "none";
    const given = digest(authorization);
    let grant: Grant = "none";
    if (introspection !== undefined && timingSafeEqual(given, introspection)) grant = "introspection";
    for (const token of full) if (timingSafeEqual(given, token)) grant = "all";
    return grant;
  };
}
