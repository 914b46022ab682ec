import { type MethodKey, methods } from "../contract/methods/index.ts";
import type { ChannelReply, ChannelRequest } from "../platform/channel/port.ts";
import type { HeaderList } from "../platform/http/engine.ts";
import type { TraceCarrier } from "../platform/tracing/port.ts";
import type { Call } from "./dispatch.ts";
import { type CallReply, jsonHeaders } from "./reply.ts";

function optionalText(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function optionalCarrier(value: unknown): TraceCarrier | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  return Object.fromEntries(
    Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
  );
}

function isMethodKey(value: unknown): value is MethodKey {
  return typeof value === "string" && Object.hasOwn(methods, value);
}

/** A call as it crosses the channel between an http worker and a management worker. */
export function packCall(call: Call): ChannelRequest {
  const { key, requestId, ip, userAgent, trace } = call;
  return { head: { key, requestId, ip, userAgent, trace }, body: call.body };
}

/** Throws TypeError for a head that {@link packCall} did not make. */
export function unpackCall({ head, body }: ChannelRequest): Call {
  if (!isMethodKey(head.key) || typeof head.requestId !== "string")
    throw new TypeError("not a management call");
  return {
    key: head.key,
    body,
    requestId: head.requestId,
    ip: optionalText(head.ip),
    userAgent: optionalText(head.userAgent),
    trace: optionalCarrier(head.trace),
  };
}

/** An answer as it crosses the channel; the usual headers stay at home. */
export function packReply(reply: CallReply): ChannelReply {
  const body = typeof reply.body === "string" ? Buffer.from(reply.body) : reply.body;
  if (reply.headers === jsonHeaders) return { head: { status: reply.status }, body };
  return { head: { status: reply.status, headers: reply.headers }, body };
}

function isHeader(value: unknown): value is readonly [string, string] {
  return Array.isArray(value) && typeof value[0] === "string" && typeof value[1] === "string";
}

/** Throws TypeError for a head that {@link packReply} did not make. */
export function unpackReply({ head, body }: ChannelReply): CallReply {
  const { status, headers } = head;
  if (typeof status !== "number") throw new TypeError("not a management reply");
  const list: HeaderList = Array.isArray(headers) ? headers.filter(isHeader) : jsonHeaders;
  return { status, headers: list, body };
}
