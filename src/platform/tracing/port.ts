/** W3C Trace Context headers (`traceparent`, `tracestate`) as they go from one process to another. */
export type TraceCarrier = Readonly<Record<string, string>>;

/** Never tokens, addresses, identifiers people type, or values of statements. */
export type SpanAttributes = Readonly<Record<string, string | number>>;

export interface SpanOptions {
  readonly kind: "server" | "client" | "consumer";
  readonly attributes?: SpanAttributes;
  /** Where the trace comes from, when not from the span around the caller. */
  readonly parent?: TraceCarrier | undefined;
}

export interface Span {
  describe(attributes: SpanAttributes): void;
  rename(name: string): void;
  /** Marks the span as failed; `type` is an error code or an error's name, never its message. */
  fail(type: string): void;
}

/**
 * Spans of one process. Only there when tracing is on: whoever takes part holds `Tracing | undefined` and takes its untraced way
 * without it, so that tracing costs nothing when it is off.
 */
export interface Tracing {
  /** Runs `work` inside a new span, which ends with it; a rejection marks it as failed. */
  span<T>(name: string, options: SpanOptions, work: (span: Span) => Promise<T>): Promise<T>;
  /** The span around the caller; undefined outside of any. */
  current(): Span | undefined;
  /** Continues the trace of the caller elsewhere. */
  carrier(): TraceCarrier;
  /** `trace_id` and `span_id` of the caller, for log lines. */
  fields(): Readonly<Record<string, string>>;
  /** Sends what is still held back; for the end of the process. */
  stop(): Promise<void>;
}

/** The span of one statement: its name, never its text or values. */
export function statementSpan(label: string): SpanOptions {
  return { kind: "client", attributes: { "db.system.name": "postgresql", "db.query.summary": label } };
}
