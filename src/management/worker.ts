import type { Config } from "../config/config.ts";
import type { Core } from "../core/index.ts";
import { createClientIpResolver } from "../core/limits/client-ip.ts";
import type { Limits } from "../core/limits/index.ts";
import type { ChannelHandler } from "../platform/channel/port.ts";
import type { HttpHandler } from "../platform/http/engine.ts";
import type { Log } from "../platform/log/port.ts";
import type { Metrics } from "../platform/metrics/port.ts";
import type { Tracing } from "../platform/tracing/port.ts";
import { createDispatch } from "./dispatch.ts";
import { createFront, requestAddress } from "./front.ts";
import { createHandlers } from "./handlers/index.ts";
import { createLocalCall, type LocalCall } from "./local.ts";
import { packReply, unpackCall } from "./message.ts";

export interface ManagementServiceParts {
  readonly core: Core;
  readonly config: Config;
  readonly log: Log;
  readonly limits: Pick<Limits, "check">;
  readonly metrics: Metrics;
  readonly tracing?: Tracing | undefined;
}

export interface ManagementService {
  /** Answers calls that http workers have admitted. */
  readonly channel: ChannelHandler;
  /** Answers `/v1/call` on the management plane's own listener, admission included. */
  readonly http: HttpHandler;
  /** Answers calls from inside this process: what an embedded client is made over. */
  readonly local: LocalCall;
}

/** The management plane over one core. */
export function createManagementService({
  core,
  config,
  log,
  limits,
  metrics,
  tracing,
}: ManagementServiceParts): ManagementService {
  const dispatch = createDispatch({
    handlers: createHandlers(core, config),
    config,
    audit: core.audit,
    log,
    metrics,
    tracing,
  });
  const { trustedProxies, trustCloudflare } = config.server;
  const clientIp = requestAddress(createClientIpResolver(trustedProxies, trustCloudflare));
  return {
    channel: async (request, signal) => packReply(await dispatch(unpackCall(request), signal)),
    http: createFront({ config: config.management, limits, log, clientIp, dispatch }),
    local: createLocalCall(dispatch),
  };
}
