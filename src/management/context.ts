import type { ManagementHandlers } from "../contract/handlers.ts";
import type { Generation } from "../contract/types.ts";
import type { CallContext } from "../core/platform.ts";

/** What a handler knows of the call beside its arguments. */
export interface ManagementContext {
  readonly requestId: string;
  /** Address of the caller's machine, not of any end user. */
  readonly ip: string | undefined;
  /** Aborts when the caller went away: hand it to the database so that running SQL is cancelled. */
  readonly signal: AbortSignal;
  /** Which shape to return where the generations differ. */
  readonly generation: Generation;
  /** The same facts as operations of `core` take them; the actor is `management`. */
  readonly callContext: CallContext;
}

/** Handlers of some of the methods; a method without one answers `not_implemented`. */
export type HandlerTable = Partial<ManagementHandlers<ManagementContext>>;
