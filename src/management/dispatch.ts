import type { Config } from "../config/config.ts";
import { createServerCodec, type ServerMethodCodec } from "../contract/codec/index.ts";
import { AuthError } from "../contract/errors/index.ts";
import { type Method, type MethodKey, methodRows, methods } from "../contract/methods/index.ts";
import type { Audit, AuditEntry } from "../core/audit/types.ts";
import type { CallContext } from "../core/platform.ts";
import type { HeaderList } from "../platform/http/engine.ts";
import type { Log } from "../platform/log/port.ts";
import type { Metrics } from "../platform/metrics/port.ts";
import { cancelledBy } from "../platform/postgres/cancellation.ts";
import type { TraceCarrier, Tracing } from "../platform/tracing/port.ts";
import { managementAudit, mintAudit } from "./audit.ts";
import type { HandlerTable, ManagementContext } from "./context.ts";
import { describeFailure } from "./failure.ts";
import { type CallReply, errorReply, jsonHeaders } from "./reply.ts";

/** An admitted call with its body read. */
export interface Call {
  readonly key: MethodKey;
  readonly body: Buffer;
  readonly requestId: string;
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
  /** Where the call's trace comes from, when it crossed processes. */
  readonly trace?: TraceCarrier | undefined;
}

export type Dispatch = (call: Call, signal: AbortSignal) => Promise<CallReply>;

export interface DispatchParts {
  readonly handlers: HandlerTable;
  readonly config: Pick<Config, "contract" | "languages">;
  readonly audit: Pick<Audit, "record">;
  readonly log: Log;
  readonly metrics: Metrics;
  /** Gives each call a span. */
  readonly tracing?: Tracing | undefined;
}

interface Compiled {
  readonly method: Method;
  readonly codec: ServerMethodCodec;
  readonly handle: ((args: never, context: ManagementContext) => Promise<unknown>) | undefined;
}

/**
 * Runs admitted calls: arguments decoded, the handler called, the result encoded, an audit row written for whatever changes something. Never
 * rejects: every error becomes its envelope.
 */
export function createDispatch({ handlers, config, audit, log, metrics, tracing }: DispatchParts): Dispatch {
  const generation = config.contract;
  const codecOf = createServerCodec(generation);
  const compiled: ReadonlyMap<MethodKey, Compiled> = new Map(
    methodRows.map(([key, method]) => [key, { method, codec: codecOf(method), handle: handlers[key] }]),
  );
  const durations = metrics.histogram(
    "authkit_management_call_duration_seconds",
    "Time a management call takes",
    ["method", "status"],
  );

  const record = async (entry: AuditEntry | undefined, context: CallContext): Promise<void> => {
    if (entry === undefined) return;
    try {
      // The change is made and will not be undone, so its trace is written even when the caller has left.
      await audit.record(entry, { ...context, signal: undefined });
    } catch (error) {
      log.error(
        { request_id: context.requestId, err: error, action: entry.action, ...entry.details },
        "audit row of a management call not written",
      );
    }
  };

  const run = async (
    { method, codec, handle }: Compiled,
    call: Call,
    signal: AbortSignal,
  ): Promise<CallReply> => {
    const callContext: CallContext = {
      requestId: call.requestId,
      ip: call.ip,
      userAgent: call.userAgent,
      language: config.languages.default,
      actor: "management",
      signal,
    };
    const context: ManagementContext = {
      requestId: call.requestId,
      ip: call.ip,
      signal,
      generation,
      callContext,
    };
    const fail = (error: unknown): CallReply => {
      const failure = describeFailure(error, generation);
      if (failure.unexpected && !signal.aborted) {
        const err = error instanceof AuthError ? (error.cause ?? error) : error;
        log.error(
          { request_id: call.requestId, method: method.name, code: failure.code, err },
          "management call failed",
        );
      }
      const headers: HeaderList = [...failure.headers, ["X-Request-Id", call.requestId]];
      return errorReply(failure.status, failure.code, headers);
    };

    let args: unknown;
    try {
      args = codec.decodeArguments(call.body.toString("utf8"));
      if (handle === undefined) throw new AuthError("not_implemented");
    } catch (error) {
      return fail(error);
    }
    let result: unknown;
    try {
      // The codec made the arguments from the same table the handler's type is derived from.
      result = await cancelledBy(signal, () => handle(args as never, context));
      const body = `${codec.encodeResult(result)}\n`;
      await Promise.all([
        record(managementAudit(method, args, result, "ok"), callContext),
        record(mintAudit(method, result), callContext),
      ]);
      return { status: 200, headers: jsonHeaders, body };
    } catch (error) {
      const failure = describeFailure(error, generation);
      await record(managementAudit(method, args, result, failure.code), callContext);
      if (method.canFail || (error instanceof AuthError && failure.transport)) return fail(error);
      // The contract knows no failure of this method: the zero value is the answer, the reason goes to the log.
      log.warn(
        { request_id: call.requestId, method: method.name, err: error },
        "management call failed, answered with the zero value",
      );
      return { status: 200, headers: jsonHeaders, body: `${codec.encodeResult(undefined)}\n` };
    }
  };

  const dispatch: Dispatch = async (call, signal) => {
    const started = performance.now();
    const found = compiled.get(call.key);
    if (found === undefined) return errorReply(404, "unknown_method");
    const reply = await run(found, call, signal);
    durations.observe((performance.now() - started) / 1000, {
      method: found.method.name,
      status: String(reply.status),
    });
    return reply;
  };
  if (tracing === undefined) return dispatch;
  return (call, signal) => {
    const name = methods[call.key].name;
    const attributes = {
      "rpc.system.name": "authkit",
      "rpc.method": name,
      "authkit.request_id": call.requestId,
    };
    return tracing.span(name, { kind: "server", attributes, parent: call.trace }, async (span) => {
      const reply = await dispatch(call, signal);
      span.describe({ "http.response.status_code": reply.status });
      if (reply.status >= 500) span.fail(String(reply.status));
      return reply;
    });
  };
}
