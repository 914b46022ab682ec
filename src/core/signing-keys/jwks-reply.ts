import { jwksMaxAge } from "./rotation-plan.ts";
import type { KeySet } from "./types.ts";

export interface JwksReply {
  readonly status: 200 | 304 | 405;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Also given for HEAD: its length is announced, the engine sends none of it. */
  readonly body: Buffer | undefined;
}

type Headers = JwksReply["headers"];

const shared: Headers = [
  ["Cache-Control", `public, max-age=${jwksMaxAge}, must-revalidate`],
  ["X-Content-Type-Options", "nosniff"],
  // Public keys are for everyone, browsers included.
  ["Access-Control-Allow-Origin", "*"],
];

/** Frozen through and through: the engine checks such a list once and not with every reply. */
function constant(headers: Headers): Headers {
  return Object.freeze(headers.map((pair) => Object.freeze(pair)));
}

const refused: JwksReply = {
  status: 405,
  headers: constant([
    ["Allow", "GET, HEAD"],
    ["X-Content-Type-Options", "nosniff"],
    ["Access-Control-Allow-Origin", "*"],
  ]),
  body: undefined,
};

interface Prepared {
  readonly full: JwksReply;
  readonly unchanged: JwksReply;
}

// One entry a key set, gone with it: a reply costs no allocation.
const prepared = new WeakMap<KeySet, Prepared>();

function prepare(keys: KeySet): Prepared {
  const headers = constant([["Content-Type", "application/json"], ["ETag", keys.etag], ...shared]);
  const replies: Prepared = {
    full: { status: 200, headers, body: keys.jwks },
    unchanged: { status: 304, headers: constant([["ETag", keys.etag], ...shared]), body: undefined },
  };
  prepared.set(keys, replies);
  return replies;
}

/** Weak comparison of RFC 9110 §13.1.2: a list of tags, `*`, and `W/` prefixes are understood. */
function matches(ifNoneMatch: string, etag: string): boolean {
  return ifNoneMatch.split(",").some((candidate) => {
    const tag = candidate.trim();
    return tag === "*" || tag === etag || (tag.startsWith("W/") && tag.slice(2) === etag);
  });
}

/** Answers `/.well-known/jwks.json`: GET and HEAD, 304 on a matching `If-None-Match`, 405 for other methods. */
export function jwksReply(method: string, ifNoneMatch: string | undefined, keys: KeySet): JwksReply {
  if (method !== "GET" && method !== "HEAD") return refused;
  const replies = prepared.get(keys) ?? prepare(keys);
  if (ifNoneMatch !== undefined && ifNoneMatch !== "" && matches(ifNoneMatch, keys.etag))
    return replies.unchanged;
  return replies.full;
}
