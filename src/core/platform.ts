import type { Config } from "../config/config.ts";
import type { Bus } from "../platform/bus/port.ts";
import type { Clock } from "../platform/clock.ts";
import type { EphemeralStore } from "../platform/ephemeral/port.ts";
import type { PasswordHasher } from "../platform/hashing/port.ts";
import type { RateLimiter } from "../platform/limiter/port.ts";
import type { Log } from "../platform/log/port.ts";
import type { Metrics } from "../platform/metrics/port.ts";
import type { Outbound } from "../platform/outbound/port.ts";
import type { Database } from "../platform/postgres/port.ts";
import type { JobQueue } from "../platform/queue/port.ts";
import type { Random } from "../platform/random.ts";

/** Everything the capabilities need from the outside world, handed over explicitly by each worker's composition. */
export interface Platform {
  readonly config: Config;
  readonly database: Database;
  readonly ephemeral: EphemeralStore;
  readonly limiter: RateLimiter;
  readonly bus: Bus;
  readonly hasher: PasswordHasher;
  readonly queue: JobQueue;
  readonly outbound: Outbound;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Who asked, carried from the edge into operations for audit rows, session rows and cancellation. */
export interface CallContext {
  readonly requestId: string;
  /** Resolved client address; undefined for calls from inside. */
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
  /** Negotiated language of the request. */
  readonly language: string;
  /** The acting principal: `user:<id>`, `management`, `system`, `api_key:<id>`, `application:<slug>`, or undefined when anonymous. */
  readonly actor: string | undefined;
  readonly signal: AbortSignal | undefined;
  /** Key of the message the call sends, for calls that may be made again by whoever cannot know how far the first came. */
  readonly messageKey?: string | undefined;
}
