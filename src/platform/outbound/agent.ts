import type { LookupFunction } from "node:net";
import { Agent, buildConnector } from "undici";
import { blockedAddress, OutboundError } from "./errors.ts";
import { isReservedAddressText } from "./reserved.ts";
import type { Resolve } from "./resolve.ts";
import { isInternalHost } from "./uri.ts";

const connectTimeoutMs = 10_000;
const headersTimeoutMs = 10_000;

/** Pooled connections that reach public addresses only, unless private ones are allowed. */
export function createGuardedAgent(allowPrivate: boolean, resolve: Resolve): Agent {
  return new Agent({
    connect: guardedConnector(allowPrivate, resolve),
    headersTimeout: headersTimeoutMs,
    bodyTimeout: headersTimeoutMs,
    connections: 16,
    keepAliveTimeout: 10_000,
    maxResponseSize: -1,
  });
}

function guardedConnector(allowPrivate: boolean, resolve: Resolve): buildConnector.connector {
  const connect = buildConnector({ timeout: connectTimeoutMs, lookup: guardedLookup(allowPrivate, resolve) });
  return (target, callback) => {
    // A literal address is never looked up.
    if (!allowPrivate && isInternalHost(target.hostname)) callback(blockedAddress(target.hostname), null);
    else connect(target, callback);
  };
}

/** Resolves a name and refuses it when any of its addresses is not public. */
function guardedLookup(allowPrivate: boolean, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, (error, addresses) => {
      const [first] = addresses ?? [];
      if (error !== null || first === undefined) {
        callback(error ?? new OutboundError("network", `${hostname} has no address`), "", 0);
      } else if (!allowPrivate && addresses.some(({ address }) => isReservedAddressText(address))) {
        callback(blockedAddress(hostname), "", 0);
      } else if (options.all === true) {
        callback(null, [...addresses]);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };
}
