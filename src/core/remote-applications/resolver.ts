import type { RemoteApplicationResolver } from "../authentication/index.ts";
import type { Platform } from "../platform.ts";
import type { VerificationKey } from "../signing-keys/types.ts";
import { fetchKeySet } from "./fetch-keys.ts";
import { staticKeySet } from "./key-set.ts";
import { applicationStore } from "./store.ts";
import type { RemoteApplication, RemoteApplications } from "./types.ts";

const freshFor = 300_000;
/** Milliseconds keys are used beyond that while they cannot be fetched. */
const staleFor = 3_600_000;
const refetchEvery = 30_000;
const unknownFor = 5_000;
const maxEntries = 10_000;

const never = { fetchedAt: Number.NEGATIVE_INFINITY, triedAt: Number.NEGATIVE_INFINITY };

type KeySet = ReadonlyMap<string, VerificationKey>;

interface CachedKeys {
  /** Changes with every write of the application: another version starts anew. */
  readonly version: string;
  keys: KeySet | undefined;
  /** Milliseconds of the monotonic clock. */
  fetchedAt: number;
  triedAt: number;
  fetching: Promise<KeySet> | undefined;
}

/** Drops the oldest entries of a map that strangers can fill. */
function bound(map: Map<string, unknown>): void {
  for (const key of map.keys()) {
    if (map.size <= maxEntries) return;
    map.delete(key);
  }
}

/**
 * Applications as issuers of tokens. Whether one is enabled is read for every token, so that switching it off acts at once; its keys are cached,
 * fetched by one request at a time, and used past their time while its server is away.
 */
export function createApplicationResolver(
  platform: Pick<Platform, "config" | "database" | "clock" | "outbound" | "log">,
  applications: Pick<RemoteApplications, "authority">,
): RemoteApplicationResolver {
  const { config, database, clock, log } = platform;
  const cache = new Map<string, CachedKeys>();
  const unknown = new Map<string, number>();

  function entryOf(application: RemoteApplication): CachedKeys {
    const version = `${application.id}:${application.updatedAt.getTime()}`;
    const present = cache.get(application.issuer);
    if (present?.version === version) return present;
    const entry: CachedKeys = { version, keys: undefined, ...never, fetching: undefined };
    cache.set(application.issuer, entry);
    bound(cache);
    return entry;
  }

  function fetchKeys(application: RemoteApplication, entry: CachedKeys): Promise<KeySet> {
    entry.fetching ??= fetchKeySet(platform, application)
      .then((keys) => {
        entry.keys = keys;
        entry.fetchedAt = clock.monotonic();
        return keys;
      })
      .finally(() => {
        entry.triedAt = clock.monotonic();
        entry.fetching = undefined;
      });
    return entry.fetching;
  }

  async function keysOf(application: RemoteApplication): Promise<KeySet> {
    const entry = entryOf(application);
    if (application.publicKeys !== null) {
      entry.keys ??= staticKeySet(application.publicKeys);
      return entry.keys;
    }
    const now = clock.monotonic();
    const age = now - entry.fetchedAt;
    if (entry.keys !== undefined && age < freshFor) return entry.keys;
    const usable = entry.keys !== undefined && age < freshFor + staleFor ? entry.keys : undefined;
    // After a failure its server is left alone for a while.
    if (entry.fetching === undefined && now - entry.triedAt < unknownFor) return usable ?? new Map();
    try {
      return await fetchKeys(application, entry);
    } catch (err) {
      log.warn({ err, application: application.slug }, "an application's keys could not be fetched");
      return usable ?? new Map();
    }
  }

  async function refetch(application: RemoteApplication): Promise<boolean> {
    if (application.publicKeys !== null) return false;
    const entry = entryOf(application);
    if (entry.fetching === undefined && clock.monotonic() - entry.triedAt < refetchEvery) return false;
    try {
      await fetchKeys(application, entry);
      return true;
    } catch (err) {
      log.warn({ err, application: application.slug }, "an application's keys could not be fetched again");
      return false;
    }
  }

  return {
    async byIssuer(issuer) {
      const seen = unknown.get(issuer);
      if (seen !== undefined && clock.monotonic() - seen < unknownFor) return undefined;
      const application = await applicationStore.byIssuer(database, issuer);
      if (application?.enabled !== true) {
        cache.delete(issuer);
        unknown.delete(issuer);
        if (application === undefined) unknown.set(issuer, clock.monotonic());
        bound(unknown);
        return undefined;
      }
      return {
        applicationId: application.id,
        slug: application.slug,
        issuer: application.issuer,
        audiences: config.audiences,
        keys: () => keysOf(application),
        refetch: () => refetch(application),
      };
    },

    authority: (applicationId) => applications.authority(applicationId),
  };
}
