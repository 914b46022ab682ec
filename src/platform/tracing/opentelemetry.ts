import {
  type Context,
  context,
  createContextKey,
  isSpanContextValid,
  type Span as OpenSpan,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import type { Span, TraceCarrier, Tracing } from "./port.ts";

const kinds = { server: SpanKind.SERVER, client: SpanKind.CLIENT, consumer: SpanKind.CONSUMER } as const;

const probe = createContextKey("authkit probe");

/** Whether somebody, such as a module loaded with `--import`, has registered an SDK: the API alone carries no context. */
export function isSdkRegistered(): boolean {
  return context.with(ROOT_CONTEXT.setValue(probe, true), () => context.active().getValue(probe) === true);
}

/** {@link Tracing} over the OpenTelemetry API, whatever SDK stands behind it. `stop` ends that SDK when it is ours. */
export function createTracing(stop: () => Promise<void>): Tracing {
  const tracer = trace.getTracer("authkit-server");
  return {
    async span(name, { kind, attributes, parent }, work) {
      const from = parent === undefined ? context.active() : continued(parent);
      const span = tracer.startSpan(name, { kind: kinds[kind], attributes: { ...attributes } }, from);
      const own = wrap(span);
      try {
        return await context.with(trace.setSpan(from, span), work, undefined, own);
      } catch (error) {
        own.fail(errorType(error));
        throw error;
      } finally {
        span.end();
      }
    },
    current() {
      const span = trace.getActiveSpan();
      return span === undefined ? undefined : wrap(span);
    },
    carrier() {
      const headers: Record<string, string> = {};
      propagation.inject(context.active(), headers);
      return headers;
    },
    fields() {
      const span = trace.getActiveSpan()?.spanContext();
      return span === undefined || !isSpanContextValid(span)
        ? {}
        : { trace_id: span.traceId, span_id: span.spanId };
    },
    stop,
  };
}

/** A malformed `traceparent` starts a trace of its own (W3C Trace Context §3.2). */
function continued(parent: TraceCarrier): Context {
  return propagation.extract(ROOT_CONTEXT, parent);
}

function wrap(span: OpenSpan): Span {
  return {
    describe: (attributes) => void span.setAttributes({ ...attributes }),
    rename: (name) => void span.updateName(name),
    fail(type) {
      span.setAttribute("error.type", type);
      span.setStatus({ code: SpanStatusCode.ERROR });
    },
  };
}

/** The error's code where it has one: messages may hold what a user typed. */
function errorType(error: unknown): string {
  if (!(error instanceof Error)) return "unknown";
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "string" ? code : error.name;
}
