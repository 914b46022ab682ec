import type { HeaderList } from "../engine.ts";
import type { PreparedHeaders } from "../reply-headers.ts";
import type { NativeResponse } from "./native.ts";

/** What the requests of one listener share with it. */
export interface Serving {
  /** Replies from now on close their connection. */
  readonly draining: boolean;
  /** Milliseconds a body may take. */
  readonly bodyTimeout: number;
  prepare(headers: HeaderList): PreparedHeaders;
  /** A reply outlives its handler's first run. */
  started(): void;
  finished(): void;
  /** Widens the native stall time-out of this connection, which is otherwise that of heads. */
  allowSlowBody(response: NativeResponse): void;
}
