import type { Config } from "../config/config.ts";
import { AuthError } from "../contract/errors/index.ts";
import type { Limits } from "../core/limits/index.ts";
import { type ChannelClient, ChannelUnavailable } from "../platform/channel/port.ts";
import type { HttpHandler } from "../platform/http/engine.ts";
import type { Log } from "../platform/log/port.ts";
import type { Tracing } from "../platform/tracing/port.ts";
import { createFront, type RequestAddress } from "./front.ts";
import { packCall, unpackReply } from "./message.ts";

export interface ForwarderParts {
  readonly channel: ChannelClient;
  readonly config: Config;
  readonly log: Log;
  readonly limits: Pick<Limits, "check">;
  readonly clientIp: RequestAddress;
  readonly tracing?: Tracing | undefined;
}

/**
 * `/v1/call` on an http worker: calls are admitted here and executed by a management worker. While none serves, calls are answered 503
 * `service_unavailable` with `Retry-After: 1`.
 */
export function createForwarder({
  channel,
  config,
  log,
  limits,
  clientIp,
  tracing,
}: ForwarderParts): HttpHandler {
  return createFront({
    config: config.management,
    limits,
    log,
    clientIp,
    dispatch: async (call, signal) => {
      try {
        const sent = tracing === undefined ? call : { ...call, trace: tracing.carrier() };
        return unpackReply(await channel.call(packCall(sent), { signal }));
      } catch (error) {
        if (!(error instanceof ChannelUnavailable)) throw error;
        throw new AuthError("service_unavailable", { retryAfter: 1, cause: error });
      }
    },
  });
}
