import type { Queryable } from "../../platform/postgres/port.ts";
import type { CallContext } from "../platform.ts";

/** Session events of the contract (spec 40 §6). */
export interface SessionEvent {
  readonly event: "session_created" | "session_revoked" | "session_failed" | "password_changed" | "password_recovery";
  readonly userId: string;
  readonly sessionId: string;
  readonly method?: string | undefined;
  readonly reason?: string | undefined;
}

/** Our own audit trail: one row per security-relevant action. Add new names to `core/audit/events.ts`. */
export interface AuditEntry {
  readonly action: string;
  /** `user:<id>`, `group:<id>`, `api_key:<id>`, … */
  readonly target: string | undefined;
  readonly outcome: string;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

export interface Audit {
  /** Writes with `on` (the caller's transaction) when given, else by itself. */
  session(event: SessionEvent, context: CallContext, on?: Queryable): Promise<void>;
  sessions(events: readonly SessionEvent[], context: CallContext, on?: Queryable): Promise<void>;
  record(entry: AuditEntry, context: CallContext, on?: Queryable): Promise<void>;
}
