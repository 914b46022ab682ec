import type { Platform } from "../platform.ts";
import type { VerificationKey } from "../signing-keys/types.ts";
import { parseKeySet } from "./key-set.ts";
import type { RemoteApplication } from "./types.ts";

/** Fetches the key set of an application from its `jwks_uri`. Rejects when that fails or none of the keys can be used. */
export async function fetchKeySet(
  { outbound, log }: Pick<Platform, "outbound" | "log">,
  { slug, jwksUri }: Pick<RemoteApplication, "slug" | "jwksUri">,
): Promise<Map<string, VerificationKey>> {
  const reply = await outbound.request({ url: jwksUri, headers: { accept: "application/json" } });
  if (reply.status !== 200) throw new Error(`jwks_http_${reply.status}`);
  return parseKeySet(reply.body.toString("utf8"), (err) =>
    log.warn({ err, application: slug }, "a key of an application's JWK set cannot be used"),
  );
}
