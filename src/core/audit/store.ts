import { type Queryable, type SqlValue, sql } from "../../platform/postgres/port.ts";
import type { AuditFilter, AuditRecord, SignIn } from "./types.ts";

// Where a person was is recorded for what the person did, not for what was done to the account.
const located = `'session_created', 'session_failed', 'password_recovery'`;

const insertSessionEvents = sql(
  "audit.insertSessionEvents",
  (s) => `
  INSERT INTO ${s}.session_events (occurred_at, issuer, user_id, session_id, event, method, reason, ip_addr, user_agent)
  SELECT $1, $2, e.user_id, e.session_id, e.event, e.method, e.reason,
    CASE WHEN e.event IN (${located}) THEN $3 END, CASE WHEN e.event IN (${located}) THEN $4 END
  FROM unnest($5::text[], $6::text[], $7::text[], $8::text[], $9::text[]) AS e (user_id, session_id, event, method, reason)`,
);

const insertRecords = sql(
  "audit.insertRecords",
  (s) => `
  INSERT INTO ${s}.audit_log (id, occurred_at, action, actor, target, outcome, request_id, ip, user_agent, details)
  SELECT r.id, $1, r.action, $2, r.target, r.outcome, $3, $4::text::inet, $5, r.details::jsonb
  FROM unnest($6::uuid[], $7::text[], $8::text[], $9::text[], $10::text[]) AS r (id, action, target, outcome, details)`,
);

const selectSignIns = sql(
  "audit.selectSignIns",
  (s) => `
  SELECT occurred_at AS "occurredAt", issuer, user_id AS "userId", session_id AS "sessionId", event, method, reason,
    ip_addr AS ip, user_agent AS "userAgent"
  FROM ${s}.session_events
  WHERE user_id = $1 AND event IN ('session_created', 'session_failed')
  ORDER BY occurred_at DESC, id DESC
  LIMIT 500`,
);

const selectRecords = sql(
  "audit.selectRecords",
  (s) => `
  SELECT id, occurred_at AS "occurredAt", action, actor, target, outcome, request_id AS "requestId", host(ip) AS ip,
    user_agent AS "userAgent", details
  FROM ${s}.audit_log
  WHERE ($1::timestamptz IS NULL OR occurred_at >= $1) AND ($2::timestamptz IS NULL OR occurred_at < $2)
    AND ($3::text IS NULL OR action = $3) AND ($4::text IS NULL OR actor = $4) AND ($5::text IS NULL OR target = $5)
    AND ($6::uuid IS NULL OR id > $6)
  ORDER BY id
  LIMIT $7`,
);

/** Columns shared by all rows of one batch. */
export interface Occasion {
  readonly at: Date;
  readonly ip: string | null;
  readonly userAgent: string | null;
}

export interface SessionEventColumns {
  readonly userIds: readonly string[];
  readonly sessionIds: readonly string[];
  readonly events: readonly string[];
  readonly methods: readonly (string | null)[];
  readonly reasons: readonly (string | null)[];
}

export interface RecordColumns {
  readonly ids: readonly string[];
  readonly actions: readonly string[];
  readonly targets: readonly (string | null)[];
  readonly outcomes: readonly string[];
  readonly details: readonly (string | null)[];
}

export const auditStore = {
  addSessionEvents(
    on: Queryable,
    issuer: string,
    occasion: Occasion,
    columns: SessionEventColumns,
  ): Promise<number> {
    const { userIds, sessionIds, events, methods, reasons } = columns;
    const values: SqlValue[] = [
      occasion.at,
      issuer,
      occasion.ip,
      occasion.userAgent,
      userIds,
      sessionIds,
      events,
      methods,
      reasons,
    ];
    return on.run(insertSessionEvents, values);
  },

  addRecords(
    on: Queryable,
    occasion: Occasion & { readonly actor: string | null; readonly requestId: string | null },
    columns: RecordColumns,
  ): Promise<number> {
    const { ids, actions, targets, outcomes, details } = columns;
    const { at, actor, requestId, ip, userAgent } = occasion;
    return on.run(insertRecords, [
      at,
      actor,
      requestId,
      ip,
      userAgent,
      ids,
      actions,
      targets,
      outcomes,
      details,
    ]);
  },

  signIns(on: Queryable, userId: string): Promise<SignIn[]> {
    return on.rows<SignIn>(selectSignIns, [userId]);
  },

  records(on: Queryable, filter: AuditFilter, limit: number): Promise<AuditRecord[]> {
    const { from = null, until = null, action = null, actor = null, target = null, after = null } = filter;
    return on.rows<AuditRecord>(selectRecords, [from, until, action, actor, target, after, limit]);
  },
};
