import { AuthError } from "../contract/errors/index.ts";
import { BoundedCache } from "./bounded-cache.ts";
import { texts } from "./claims.ts";
import { type KeyFetching, keySource, pemKeys } from "./issuers.ts";
import { fixedKeys, type KeySource } from "./jwks.ts";
import type { ApplicationRecord, Lookup } from "./lookup.ts";
import { covered } from "./permissions.ts";
import type { PermissionScope } from "./principal.ts";

/** Longer issuer names are not looked up: anybody can write one into a token. */
const maxIssuerLength = 2048;
const maxIssuers = 10_000;
/** Look-ups of issuers nobody has heard of that may be under way at once; tokens of further ones are refused meanwhile. */
const maxUnknown = 32;

/** An enabled application as an issuer. */
export interface Application {
  readonly id: string;
  readonly slug: string;
  readonly source: KeySource;
}

/** What an application may do. */
export interface Authority {
  readonly permissions: readonly string[];
  readonly scope: PermissionScope | undefined;
}

export interface Applications {
  /** Undefined when no enabled application has this issuer, or that cannot be found out. */
  byIssuer(issuer: string): Promise<Application | undefined>;
  /** Throws `invalid_token` when it cannot be read. */
  authority(application: Application): Promise<Authority>;
  /** Forgets what is known of an issuer, or of all. */
  forget(issuer?: string): void;
}

interface Remembered {
  readonly until: number;
  readonly answer: Promise<Application | undefined>;
}

/** The permissions a token claims, trimmed and distinct. */
export function claimedPermissions(claim: unknown): string[] {
  const claimed = new Set(texts(claim).map((permission) => permission.trim()));
  claimed.delete("");
  return [...claimed];
}

/** The same; each must be covered by the authority. Throws `permission_not_granted`. */
export function claimedWithin(claim: unknown, { permissions }: Authority): string[] {
  const claimed = claimedPermissions(claim);
  for (const permission of claimed)
    if (!covered(permissions, permission)) throw new AuthError("permission_not_granted");
  return claimed;
}

/** Applications the server trusts, each remembered for `seconds`; concurrent first uses share one look-up. */
export function createApplications(lookup: Lookup, fetching: KeyFetching, seconds: number): Applications {
  const known = new BoundedCache<Remembered>(maxIssuers);
  const sources = new BoundedCache<{ readonly record: string; readonly source: KeySource }>(maxIssuers);

  /** The source outlives the remembered answer while the application's keys are where they were. */
  function sourceOf(application: ApplicationRecord): KeySource {
    const { issuer, mode, jwksUri, publicKeys } = application;
    const record = JSON.stringify([mode, jwksUri, publicKeys]);
    const held = sources.get(issuer);
    if (held?.record === record) return held.source;
    const source =
      mode === "static"
        ? fixedKeys(pemKeys(publicKeys ?? [], fetching.report))
        : keySource({ issuer, audiences: [], jwksUri }, fetching);
    sources.set(issuer, { record, source }, 1);
    return source;
  }

  let unknown = 0;

  async function find(issuer: string): Promise<Application | undefined> {
    const isUnknown = sources.get(issuer) === undefined;
    if (isUnknown && unknown >= maxUnknown) return undefined;
    if (isUnknown) unknown++;
    try {
      const record = await lookup.getRemoteApplication?.({ issuer });
      if (record === undefined || !record.enabled || record.issuer !== issuer) return undefined;
      return { id: record.id, slug: record.slug, source: sourceOf(record) };
    } catch (error) {
      fetching.report(`application of issuer ${JSON.stringify(issuer)}: ${String(error)}`);
      return undefined;
    } finally {
      if (isUnknown) unknown--;
    }
  }

  return {
    async byIssuer(issuer) {
      if (lookup.getRemoteApplication === undefined || issuer.length > maxIssuerLength) return undefined;
      const now = fetching.now();
      const remembered = known.get(issuer);
      if (remembered !== undefined && now < remembered.until) return remembered.answer;
      const answer = find(issuer);
      known.set(issuer, { until: now + seconds * 1000, answer }, 1);
      return answer;
    },

    async authority({ id }) {
      try {
        const found = await lookup.resolveRemoteApplicationAuthority?.({ appId: id });
        if (found === undefined) throw new Error("no look-up of authority");
        if ("persona" in found)
          return {
            permissions: found.permissions,
            scope: { persona: found.persona, instance: found.instanceSlug },
          };
        return { permissions: found, scope: undefined };
      } catch (cause) {
        throw new AuthError("invalid_token", { cause });
      }
    },

    forget(issuer) {
      if (issuer === undefined) known.clear();
      else known.delete(issuer);
    },
  };
}
