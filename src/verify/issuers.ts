import { fixedKeys, type KeySource, remoteKeys } from "./jwks.ts";
import { type KeySet, keyFromPem, type VerificationKey } from "./keys.ts";

/** An issuer whose tokens are accepted for users. */
export interface IssuerOptions {
  /** Compared exactly with `iss`; a final slash counts. */
  readonly issuer: string;
  /** The token's `aud` must name one of them; none = unchecked, which is for issuers that serve this resource server alone. */
  readonly audiences: readonly string[];
  /** Default: `<issuer>/.well-known/jwks.json`, unless there are `keys`. */
  readonly jwksUri?: string | undefined;
  /** Known keys. Without `jwksUri` they are all there ever are, and nothing is fetched. */
  readonly keys?: readonly { readonly kid: string; readonly publicKeyPem: string }[] | undefined;
  /** Seconds fetched keys are fresh; default 600. */
  readonly cacheTtl?: number | undefined;
  /** Seconds after that in which they serve while the issuer cannot be reached; default 3600. */
  readonly maxStale?: number | undefined;
}

export interface KeyFetching {
  readonly fetch: typeof globalThis.fetch;
  readonly now: () => number;
  readonly report: (problem: string) => void;
}

const day = 24 * 3600;

/** Keys given as PEM by id; unusable ones are reported. */
export function pemKeys(
  given: readonly { readonly kid?: string | undefined; readonly publicKeyPem: string }[],
  report: (problem: string) => void,
): KeySet {
  const keys = new Map<string, VerificationKey>();
  for (const { kid = "", publicKeyPem } of given) {
    const key = keyFromPem(publicKeyPem);
    if (key === undefined) report(`key ${JSON.stringify(kid)} cannot be used`);
    else keys.set(kid.trim() === "" ? "default" : kid, key);
  }
  return keys;
}

/** Where the keys of an issuer come from, as its options say. */
export function keySource(options: IssuerOptions, fetching: KeyFetching): KeySource {
  const { issuer, jwksUri, cacheTtl = 600, maxStale = 3600 } = options;
  const keys = options.keys === undefined ? undefined : pemKeys(options.keys, fetching.report);
  const given = keys !== undefined && keys.size > 0 ? keys : undefined;
  if (given !== undefined && jwksUri === undefined) return fixedKeys(given);
  const url = jwksUri ?? `${issuer.replace(/\/$/, "")}/.well-known/jwks.json`;
  return remoteKeys(
    { url, cacheTtl, maxStale, ...fetching },
    given === undefined ? undefined : { keys: given, freshFor: day },
  );
}
