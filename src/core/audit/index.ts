import { isIP } from "node:net";
import { AuthError } from "../../contract/errors/index.ts";
import type { Counter, Metrics } from "../../platform/metrics/port.ts";
import type { Queryable } from "../../platform/postgres/port.ts";
import { isStorable } from "../identifiers/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import { auditStore, type Occasion } from "./store.ts";
import type { Audit, AuditEntry, AuditTrail, SessionEvent } from "./types.ts";

export { type AuditAction, auditActions } from "./events.ts";
export type {
  Audit,
  AuditEntry,
  AuditFilter,
  AuditRecord,
  AuditTrail,
  SessionEvent,
  SignIn,
} from "./types.ts";

/** Sign-ins by their way and how they ended: `ok`, or the reason of the refusal. */
export function loginCounter(metrics: Metrics): Counter {
  return metrics.counter("authkit_login_total", "Sign-ins, by method and result", ["method", "result"]);
}

const maxUserAgent = 512;
const maxPage = 1000;

/** The caller's address when it is one, else null: it is stored as `inet`. */
export function storedAddress(context: CallContext): string | null {
  return context.ip !== undefined && isIP(context.ip) !== 0 ? context.ip : null;
}

/** The user agent as stored: at most 512 characters, without U+0000; blank is null. */
export function storedUserAgent(context: CallContext): string | null {
  const agent = context.userAgent?.replaceAll("\u0000", "").slice(0, maxUserAgent).trim();
  return agent === undefined || agent === "" ? null : agent;
}

/**
 * Writer and reader of sign-in history and audit trail. Rows of one call go out in one statement; give `on` to write them in the
 * transaction of what they tell about.
 */
export function createAudit(
  platform: Pick<Platform, "config" | "database" | "clock" | "random"> & Partial<Pick<Platform, "metrics">>,
): Audit & AuditTrail {
  const { config, database, clock, random } = platform;
  const logins = platform.metrics === undefined ? undefined : loginCounter(platform.metrics);

  function occasion(context: CallContext): Occasion {
    return { at: clock.now(), ip: storedAddress(context), userAgent: storedUserAgent(context) };
  }

  async function sessions(
    events: readonly SessionEvent[],
    context: CallContext,
    on: Queryable = database,
  ): Promise<void> {
    if (events.length === 0) return;
    for (const { event, method = "password_login", reason = "unknown" } of events)
      if (event === "session_failed") logins?.add({ method, result: reason });
    await auditStore.addSessionEvents(on, config.issuer, occasion(context), {
      userIds: events.map((event) => event.userId),
      sessionIds: events.map((event) => event.sessionId),
      events: events.map((event) => event.event),
      methods: events.map((event) => event.method ?? null),
      reasons: events.map((event) => event.reason ?? null),
    });
  }

  async function records(
    entries: readonly AuditEntry[],
    context: CallContext,
    on: Queryable = database,
  ): Promise<void> {
    if (entries.length === 0) return;
    const shared = {
      ...occasion(context),
      actor: context.actor ?? null,
      requestId: context.requestId || null,
    };
    await auditStore.addRecords(on, shared, {
      ids: entries.map(() => random.uuid()),
      actions: entries.map((entry) => entry.action),
      targets: entries.map((entry) => entry.target ?? null),
      outcomes: entries.map((entry) => entry.outcome),
      details: entries.map((entry) => (entry.details === undefined ? null : JSON.stringify(entry.details))),
    });
  }

  return {
    sessions,
    records,
    session: (event, context, on) => sessions([event], context, on),
    record: (entry, context, on) => records([entry], context, on),

    async signIns(userId) {
      const id = userId.trim().toLowerCase();
      if (id === "") throw new AuthError("invalid_user");
      if (!isStorable(id)) return [];
      return auditStore.signIns(database, id);
    },

    page(filter) {
      return auditStore.records(database, filter, Math.min(Math.max(filter.limit ?? maxPage, 1), maxPage));
    },
  };
}
