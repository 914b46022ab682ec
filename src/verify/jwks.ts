import { setTimeout as pause } from "node:timers/promises";
import { type KeySet, keyFromJwk } from "./keys.ts";

/** Milliseconds between the attempts of one refresh. */
const waits = [250, 500];
const timeoutMs = 30_000;
const maxBytes = 1 << 20;
/** Milliseconds from one forced refetch to the next. */
const refetchInterval = 30_000;
/** Milliseconds after the first failed refresh in which none is tried; doubles up to the last. */
const firstBackOff = 5_000;
const lastBackOff = 60_000;

/** Where an issuer's keys come from. */
export interface KeySource {
  /** The keys, when they are at hand and fresh. */
  current(): KeySet | undefined;
  /** Fetches when there are none; serves stale ones while a refresh runs or fails. Rejects when there are none to serve. */
  keys(): Promise<KeySet>;
  /** Fetches again because a token did not fit: one request in 30 s whoever asks; undefined when none was due or it failed. */
  refetch(): Promise<KeySet | undefined>;
}

export interface JwksOptions {
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
  /** Seconds keys are fresh. */
  readonly cacheTtl: number;
  /** Seconds after that in which they serve while the issuer cannot be reached. */
  readonly maxStale: number;
  readonly report: (problem: string) => void;
}

/** Keys that never change and are never fetched. */
export function fixedKeys(keys: KeySet): KeySource {
  return { current: () => keys, keys: async () => keys, refetch: async () => undefined };
}

async function readBody(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > maxBytes) throw new Error("jwks_too_large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Keys of a JWKS document; those that cannot be used are reported and left out. Throws when none is left. */
export function parseJwks(text: string, report: (problem: string) => void): KeySet {
  const document: unknown = JSON.parse(text);
  const list: unknown =
    typeof document === "object" && document !== null ? Reflect.get(document, "keys") : [];
  const keys = new Map<string, NonNullable<ReturnType<typeof keyFromJwk>>>();
  for (const entry of Array.isArray(list) ? list : []) {
    const jwk: unknown = entry;
    if (typeof jwk !== "object" || jwk === null) continue;
    const members = { ...jwk };
    const kid: unknown = Reflect.get(members, "kid");
    const name = typeof kid === "string" && kid !== "" ? kid : "default";
    const key = keyFromJwk(members);
    if (key === undefined) report(`key ${JSON.stringify(name)} of a JWKS cannot be used`);
    else keys.set(name, key);
  }
  if (keys.size === 0) throw new Error("empty_jwks");
  return keys;
}

/** Keys behind a JWKS address: cached, fetched by one request at a time, stale ones served while the issuer is away. */
export function remoteKeys(options: JwksOptions, head?: { keys: KeySet; freshFor: number }): KeySource {
  const { url, fetch, now, cacheTtl, maxStale, report } = options;
  let held = head?.keys;
  let text: string | undefined;
  let freshUntil = head === undefined ? 0 : now() + head.freshFor * 1000;
  let usableUntil = head === undefined ? 0 : freshUntil + head.freshFor * 1000;
  let running: Promise<KeySet> | undefined;
  let backOff = 0;
  let quietUntil = 0;
  let refetchedAt = Number.NEGATIVE_INFINITY;
  let forced: Promise<KeySet | undefined> | undefined;

  async function attempt(): Promise<string> {
    const response = await fetch(url, { redirect: "error", signal: AbortSignal.timeout(timeoutMs) });
    if (response.status !== 200) {
      await response.body?.cancel();
      throw new Error(`jwks_http_${response.status}`);
    }
    return readBody(response);
  }

  async function load(): Promise<KeySet> {
    for (let tried = 0; ; tried++) {
      try {
        const body = await attempt();
        // The same document keeps the same set, so that tokens verified with it need not be verified again.
        if (held === undefined || body !== text) held = parseJwks(body, report);
        text = body;
        freshUntil = now() + cacheTtl * 1000;
        usableUntil = freshUntil + maxStale * 1000;
        backOff = 0;
        quietUntil = 0;
        return held;
      } catch (error) {
        const wait = waits[tried];
        if (wait !== undefined) {
          await pause(wait);
          continue;
        }
        backOff = Math.min(lastBackOff, backOff === 0 ? firstBackOff : backOff * 2);
        quietUntil = now() + backOff;
        report(`keys could not be fetched from ${url}: ${error instanceof Error ? error.message : error}`);
        throw error;
      }
    }
  }

  function refresh(): Promise<KeySet> {
    running ??= load().finally(() => {
      running = undefined;
    });
    return running;
  }

  return {
    current: () => (now() < freshUntil ? held : undefined),
    async keys() {
      const at = now();
      if (held !== undefined && at < freshUntil) return held;
      if (held !== undefined && at < usableUntil) {
        // Failures have been reported; whoever waits for no answer needs none.
        if (at >= quietUntil) refresh().catch(() => undefined);
        return held;
      }
      if (at < quietUntil && running === undefined) throw new Error("jwks_unavailable");
      return refresh();
    },
    refetch() {
      if (forced !== undefined) return forced;
      if (now() < refetchedAt + refetchInterval) return Promise.resolve(undefined);
      forced = refresh()
        .catch(() => undefined)
        .finally(() => {
          refetchedAt = now();
          forced = undefined;
        });
      return forced;
    },
  };
}
