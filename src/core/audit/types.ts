import type { Queryable } from "../../platform/postgres/port.ts";
import type { CallContext } from "../platform.ts";
import type { AuditAction } from "./events.ts";

/** Events of sign-in history. */
export interface SessionEvent {
  readonly event:
    | "session_created"
    | "session_revoked"
    | "session_failed"
    | "password_changed"
    | "password_recovery";
  /** Empty when the identifier was unknown. */
  readonly userId: string;
  /** Empty where no session is concerned. */
  readonly sessionId: string;
  readonly method?: string | undefined;
  readonly reason?: string | undefined;
}

/** Our own audit trail: one row per security-relevant action. Add new names to `core/audit/events.ts`. */
export interface AuditEntry {
  readonly action: AuditAction;
  /** `user:<id>`, `group:<id>`, `api_key:<id>`, … */
  readonly target: string | undefined;
  /** `ok`, or the code of the refusal. */
  readonly outcome: string;
  readonly details?: Readonly<Record<string, unknown>> | undefined;
}

export interface Audit {
  /** Writes with `on` (the caller's transaction) when given, else by itself. */
  session(event: SessionEvent, context: CallContext, on?: Queryable): Promise<void>;
  sessions(events: readonly SessionEvent[], context: CallContext, on?: Queryable): Promise<void>;
  record(entry: AuditEntry, context: CallContext, on?: Queryable): Promise<void>;
  records(entries: readonly AuditEntry[], context: CallContext, on?: Queryable): Promise<void>;
}

/** One sign-in or failed sign-in, as the admin route lists them. */
export interface SignIn {
  readonly occurredAt: Date;
  readonly issuer: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly event: string;
  readonly method: string | null;
  readonly reason: string | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

export interface AuditRecord {
  readonly id: string;
  readonly occurredAt: Date;
  readonly action: string;
  readonly actor: string | null;
  readonly target: string | null;
  readonly outcome: string;
  readonly requestId: string | null;
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly details: Readonly<Record<string, unknown>> | null;
}

export interface AuditFilter {
  readonly from?: Date | undefined;
  /** Exclusive. */
  readonly until?: Date | undefined;
  readonly action?: string | undefined;
  readonly actor?: string | undefined;
  readonly target?: string | undefined;
  /** Id of the last record already seen; records are listed in the order of their ids, which is that of time. */
  readonly after?: string | undefined;
  /** At most 1000; 1000 when absent. */
  readonly limit?: number | undefined;
}

/** Read side of both trails. */
export interface AuditTrail {
  /** `session_created` and `session_failed` of one user, newest first, at most 500. Throws `invalid_user` for a blank id. */
  signIns(userId: string): Promise<SignIn[]>;
  /** A page of the audit trail, oldest first, for export. */
  page(filter: AuditFilter): Promise<AuditRecord[]>;
}
