import type { Client } from "../contract/handlers.ts";
import type { Generation } from "../contract/types.ts";
import { deriveClient } from "./derive.ts";
import { withRetries } from "./retry.ts";
import type { Transport } from "./transport.ts";

export interface RemoteClientOptions<G extends Generation = "0.73"> {
  /** Generation the server answers in; chooses the type of the results that differ. Default 0.73. */
  readonly contract?: G;
  /** Milliseconds a call may take, repetitions included. Default 30 000. */
  readonly timeoutMs?: number;
  /** How often a call that changes nothing is repeated on a network error or 503. Default 2; 0 = never. */
  readonly retries?: number;
  /** Replaces the global `fetch`. */
  readonly fetch?: typeof fetch;
}

function wholeSeconds(value: string | null): number | undefined {
  return value !== null && /^[0-9]{1,9}$/.test(value) ? Number(value) : undefined;
}

function fetchTransport(base: string, token: string, send: typeof fetch): Transport {
  const headers: Record<string, string> = { "Content-Type": "application/json" };
  if (token !== "") headers["Authorization"] = `Bearer ${token}`;
  return async ({ method, body, signal }) => {
    // Not followed: the token is for this server only, and no server of ours redirects a call.
    const response = await send(`${base}/v1/call/${method.name}`, {
      method: "POST",
      headers,
      body,
      signal,
      redirect: "manual",
    });
    const retryAfter = wholeSeconds(response.headers.get("retry-after"));
    return { status: response.status, retryAfter, body: await response.text() };
  };
}

/**
 * The management API of a server reached over HTTP. Uses nothing but `fetch`, so it runs in Node, Deno, Bun and at the edge.
 *
 * Methods throw `AuthError` with the server's code; `service_unavailable` when no reply came; `internal_error` with the text
 * `remote: …` for answers that are not the server's. `url` is the server's base; `token` the management token, `""` for none.
 */
export function createRemoteClient<G extends Generation = "0.73">(
  url: string,
  token: string,
  options: RemoteClientOptions<G> = {},
): Client<G> {
  const send = options.fetch ?? ((input, init) => fetch(input, init));
  const transport = fetchTransport(url.replace(/\/+$/, ""), token, send);
  return deriveClient(withRetries(transport, options.retries ?? 2), {
    contract: options.contract ?? ("0.73" as G),
    timeoutMs: options.timeoutMs ?? 30_000,
  });
}
