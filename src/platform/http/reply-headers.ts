import type { HeaderList } from "./engine.ts";

// An `import` would read every member of the module, and one of them loads Node's own `fetch`: 14 MB in each worker.
const { STATUS_CODES } = process.getBuiltinModule("node:http");

/** Header names the engines write themselves; a handler's own are left out, but for `Connection: close`, which is honoured. */
const ENGINE_OWNED: ReadonlySet<string> = new Set([
  "content-length",
  "transfer-encoding",
  "date",
  "keep-alive",
]);
const NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const FORBIDDEN_IN_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/;

/** A reply's headers, checked and joined, so that one write sends them all. */
export interface PreparedHeaders {
  /** Name of the first header; empty when there is none. */
  readonly name: string;
  /** Value of the first header and the lines of all others. */
  readonly rest: string;
  /** The handler asked for `Connection: close`. */
  readonly close: boolean;
}

const NO_HEADERS: PreparedHeaders = { name: "", rest: "", close: false };

/**
 * Checks a header list and joins it. Throws a `TypeError` for a name that is no token or a value with control characters (RFC 9110 §5.5), so
 * that no input can split a reply.
 */
export function prepareHeaders(headers: HeaderList): PreparedHeaders {
  if (headers.length === 0) return NO_HEADERS;
  let first = "";
  let rest = "";
  let close = false;
  for (const [name, value] of headers) {
    checkHeader(name, value);
    const lower = name.toLowerCase();
    if (ENGINE_OWNED.has(lower)) continue;
    if (lower === "connection") {
      close ||= value.toLowerCase() === "close";
    } else if (first === "") {
      first = name;
      rest = value;
    } else {
      rest += `\r\n${name}: ${value}`;
    }
  }
  return { name: first, rest, close };
}

/** Throws a `TypeError` unless name and value may be sent as they are. */
export function checkHeader(name: string, value: string): void {
  if (!NAME.test(name)) throw new TypeError(`invalid header name ${JSON.stringify(name)}`);
  if (FORBIDDEN_IN_VALUE.test(value)) throw new TypeError(`invalid value for the header ${name}`);
}

/** True for headers a handler may not set, because the engines compute them. */
export function isEngineOwned(lowerCaseName: string): boolean {
  return ENGINE_OWNED.has(lowerCaseName);
}

/**
 * Prepares header lists, remembering the frozen ones: a list that is frozen, with frozen pairs, cannot change, so a route that replies with a
 * constant list pays for the check once.
 */
export function createHeaderPreparation(): (headers: HeaderList) => PreparedHeaders {
  const remembered = new WeakMap<HeaderList, PreparedHeaders>();
  let lastList: HeaderList | undefined;
  let lastPrepared = NO_HEADERS;
  return (headers) => {
    if (headers === lastList) return lastPrepared;
    const known = remembered.get(headers);
    const prepared = known ?? prepareHeaders(headers);
    if (known === undefined) {
      if (!Object.isFrozen(headers) || !headers.every(Object.isFrozen)) return prepared;
      remembered.set(headers, prepared);
    }
    lastList = headers;
    lastPrepared = prepared;
    return prepared;
  };
}

/** Status line texts such as `404 Not Found`, by status. */
export const statusLines: readonly string[] = Array.from(
  { length: 600 },
  (_, status) => `${status} ${STATUS_CODES[status] ?? "Unknown"}`,
);

/** Statuses whose replies carry neither body nor Content-Length (RFC 9110 §6.4.1, §8.6). */
export function isBodiless(status: number): boolean {
  return status === 204 || status === 304;
}
