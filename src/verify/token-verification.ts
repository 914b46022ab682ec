import { AuthError } from "../contract/errors/index.ts";
import type { Application, Applications } from "./applications.ts";
import { checkRegistered, classify, type TokenClass } from "./claims.ts";
import { type CompactToken, parseCompact } from "./compact.ts";
import { type IssuerOptions, type KeyFetching, keySource } from "./issuers.ts";
import type { KeySource } from "./jwks.ts";
import { hasValidSignature, type KeySet, keyFor } from "./keys.ts";

/** A token whose signature, audience and times are good. */
export interface VerifiedToken {
  readonly token: CompactToken;
  readonly issuer: string;
  /** `exp`, seconds. */
  readonly expires: number;
  /** Keys it was verified with. */
  readonly keys: KeySet;
  /** Undefined for tokens of first-party issuers. */
  readonly application: Application | undefined;
}

export interface TokenVerificationParts {
  readonly issuers: readonly IssuerOptions[];
  readonly fetching: KeyFetching;
  readonly applications: Applications;
  readonly applicationAudiences: readonly string[];
  readonly algorithms: ReadonlySet<unknown>;
  /** Characters. */
  readonly maxTokenLength: number;
  /** Seconds. */
  readonly skew: number;
  /** Seconds since the epoch. */
  readonly now: () => number;
}

export interface TokenVerification {
  /**
   * Everything up to the signature fails as `invalid_token`, so that nobody learns which part was wrong.
   * @throws AuthError `missing_token`, `invalid_token`, `bad_audience`, `missing_exp`, `token_expired`, `token_not_yet_valid`
   */
  verify(token: string): Promise<VerifiedToken>;
  classify(verified: VerifiedToken): TokenClass;
  /** Keys of a first-party issuer, when fresh ones are at hand. */
  currentKeys(issuer: string): KeySet | undefined;
}

interface FirstParty {
  readonly audiences: readonly string[];
  readonly source: KeySource;
}

function signedWith(token: CompactToken, keys: KeySet | undefined): keys is KeySet {
  const key = keys === undefined ? undefined : keyFor(token, keys);
  return key !== undefined && hasValidSignature(token, key);
}

/** The keys that verify the token, fetched again once when those at hand do not. */
async function verifyingKeys(token: CompactToken, source: KeySource): Promise<KeySet> {
  const held = await source.keys().catch((cause: unknown) => {
    throw new AuthError("invalid_token", { cause });
  });
  if (signedWith(token, held)) return held;
  const fetched = await source.refetch();
  if (signedWith(token, fetched)) return fetched;
  throw new AuthError("invalid_token");
}

export function createTokenVerification(parts: TokenVerificationParts): TokenVerification {
  const { fetching, applications, applicationAudiences, algorithms, maxTokenLength, skew, now } = parts;
  const own = new Map<string, FirstParty>();
  for (const options of parts.issuers) {
    const issuer = options.issuer.trim();
    if (issuer === "") throw new TypeError("an issuer without a name");
    if (own.has(issuer)) throw new TypeError(`issuer ${issuer} is there twice`);
    own.set(issuer, { audiences: options.audiences, source: keySource({ ...options, issuer }, fetching) });
  }

  return {
    async verify(text) {
      if (text === "") throw new AuthError("missing_token");
      const token = parseCompact(text, maxTokenLength);
      const issuer = token.claims["iss"];
      if (!algorithms.has(token.header["alg"]) || typeof issuer !== "string" || issuer === "")
        throw new AuthError("invalid_token");
      const firstParty = own.get(issuer);
      const application = firstParty === undefined ? await applications.byIssuer(issuer) : undefined;
      const source = firstParty?.source ?? application?.source;
      if (source === undefined) throw new AuthError("invalid_token");
      const keys = await verifyingKeys(token, source);
      const expires = checkRegistered(token, firstParty?.audiences ?? applicationAudiences, now(), skew);
      return { token, issuer, expires, keys, application };
    },
    classify: ({ token, application }) =>
      classify(token, application === undefined ? "first-party" : "remote-application"),
    currentKeys: (issuer) => own.get(issuer)?.source.current(),
  };
}
