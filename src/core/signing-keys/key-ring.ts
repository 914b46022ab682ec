import type { Config } from "../../config/config.ts";
import type { Bus } from "../../platform/bus/port.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log/port.ts";
import type { Database } from "../../platform/postgres/port.ts";
import type { Random } from "../../platform/random.ts";
import { environmentSource } from "./environment-source.ts";
import { SigningKeyError } from "./errors.ts";
import { fileSource, keyFilePath } from "./file-source.ts";
import { generatedSource } from "./generated-source.ts";
import { buildKeySet, noKeys } from "./key-set.ts";
import { managedSource } from "./managed-source.ts";
import type { KeySource } from "./source.ts";
import type { KeyRing, KeySet } from "./types.ts";

/** What the key ring needs of the platform; the database and the bus only for the managed keyring. */
export interface KeyRingContext {
  readonly config: Config;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly database?: Database | undefined;
  readonly bus?: Bus | undefined;
}

export interface KeyRingOptions {
  /** Milliseconds between two looks at `keys.json` (10 000) or at the stored keyring (60 000). */
  readonly pollMs?: number;
}

/**
 * First source found wins: environment, `keys.json`, managed keyring, and in development a generated key.
 * @throws SigningKeyError when there is none, or the first one is unusable
 */
async function findSource(context: KeyRingContext, options: KeyRingOptions): Promise<KeySource> {
  const { config, database, log } = context;
  const found = environmentSource(config.keys, log) ?? (await fileSource(config.keys, log, options.pollMs));
  if (found !== undefined) return found;
  if (config.keys.keyringSecret !== undefined) {
    if (database === undefined) throw new SigningKeyError("the managed keyring needs a database connection");
    return managedSource({ ...context, database, bus: context.bus }, options.pollMs);
  }
  if (config.environment.class === "development") return generatedSource(config, context.clock, log);
  throw new SigningKeyError(
    `no signing key: set AUTHKIT_ACTIVE_KEY_ID and AUTHKIT_ACTIVE_PRIVATE_KEY_PEM, or put ${keyFilePath(config.keys)} in place ` +
      "(made by `keys generate`), or set AUTHKIT_KEYRING_SECRET for keys kept in the database. " +
      "A generated key is used in development only (AUTHKIT_ENV=dev).",
  );
}

const verifyOnly: KeySource = { kind: "none", load: async () => noKeys };

/**
 * Loads the keys once before the primary forks: the development key is made, so that workers find one key instead of racing for it, and
 * material that cannot be used is refused before anything runs. The managed keyring is left to the workers.
 *
 * @throws SigningKeyError when there is no source, or the first one is unusable
 */
export async function prepareSigningKeys(context: KeyRingContext): Promise<void> {
  const { config, clock, log } = context;
  if (config.keys.verifyOnly) return;
  const given = environmentSource(config.keys, log) ?? (await fileSource(config.keys, log));
  if (given === undefined && config.keys.keyringSecret !== undefined) return;
  const source = given ?? (await findSource(context, {}));
  buildKeySet(await source.load(), source.kind, clock.now());
}

function sameKeys(a: KeySet, b: KeySet): boolean {
  return a.etag === b.etag && a.active?.kid === b.active?.kid;
}

/**
 * Loads the keys and keeps them current. The set is swapped whole, and only when its content changed; a reload that fails keeps the last
 * good set and logs why.
 * @throws SigningKeyError when the first load fails
 */
export async function createKeyRing(context: KeyRingContext, options: KeyRingOptions = {}): Promise<KeyRing> {
  const { config, clock } = context;
  const log = context.log.child({ room: "signing-keys" });
  const source = config.keys.verifyOnly ? verifyOnly : await findSource({ ...context, log }, options);
  const load = async (): Promise<KeySet> => buildKeySet(await source.load(), source.kind, clock.now());
  const describe = (keys: KeySet) => ({
    source: source.kind,
    activeKid: keys.active?.kid,
    algorithm: keys.active?.algorithm,
    published: keys.byKid.size,
    keysReloadedAt: keys.loadedAt.toISOString(),
  });

  let keys = await load();
  log.info(describe(keys), "signing keys loaded");
  const listeners: ((keys: KeySet) => void)[] = [];
  let running: Promise<void> | undefined;
  let again: Promise<void> | undefined;

  async function refresh(): Promise<void> {
    try {
      const loaded = await load();
      if (sameKeys(loaded, keys)) return;
      keys = loaded;
      log.info(describe(keys), "signing keys reloaded");
      for (const listener of listeners) listener(keys);
    } catch (error) {
      log.error(
        { err: error, ...describe(keys) },
        "signing keys could not be reloaded; the last good ones stay in use",
      );
    }
  }

  function start(): Promise<void> {
    running = refresh().finally(() => {
      running = undefined;
    });
    return running;
  }

  function reload(): Promise<void> {
    if (running === undefined) return start();
    // The load under way may have read the state before the caller's change: one more follows, shared by all who wait.
    again ??= running.then(() => {
      again = undefined;
      return start();
    });
    return again;
  }

  const unwatch = await source.watch?.(() => void reload());
  return {
    current: () => keys,
    reload,
    onChange: (listener) => void listeners.push(listener),
    async close() {
      await unwatch?.();
      await (again ?? running);
    },
  };
}
