import type { ManagementConfig } from "../config/config.ts";
import { AuthError, isAuthError } from "../contract/errors/index.ts";
import type { ClientIpResolver } from "../core/limits/client-ip.ts";
import type { Limits } from "../core/limits/index.ts";
import { BodyTooLarge, ClientGone, type HttpHandler, type HttpRequest } from "../platform/http/engine.ts";
import { createRequestIds } from "../platform/http/request-id.ts";
import type { Log } from "../platform/log/port.ts";
import { type Admission, createAdmission } from "./admission.ts";
import type { Dispatch } from "./dispatch.ts";
import { describeFailure } from "./failure.ts";
import { type CallReply, errorReply } from "./reply.ts";

/** Resolves to the client's address from the peer's and the forwarding headers. */
export type RequestAddress = (request: HttpRequest) => string | undefined;

export interface FrontParts {
  readonly config: ManagementConfig;
  readonly limits: Pick<Limits, "check">;
  readonly log: Log;
  readonly clientIp: RequestAddress;
  readonly dispatch: Dispatch;
}

/** The resolver of client addresses, by request. */
export function requestAddress(resolve: ClientIpResolver): RequestAddress {
  return (request) => resolve(request.remoteAddress, (name) => request.headerValues(name));
}

/**
 * The management API as an HTTP handler: admission by the head, then the body up to its limit, then `dispatch`. A client that leaves aborts
 * the call's signal. Failed authentication is charged to the client's address; a call with the right token never is.
 */
export function createFront({ config, limits, log, clientIp, dispatch }: FrontParts): HttpHandler {
  const admit = createAdmission(config);
  const requestIds = createRequestIds();

  const unauthorized = async (request: HttpRequest, reply: CallReply): Promise<CallReply> => {
    const ip = clientIp(request);
    log.warn({ ip }, "management call without a valid token");
    try {
      await limits.check("management_auth", { ip });
    } catch (error) {
      if (!isAuthError(error, "rate_limited")) throw error;
      const failure = describeFailure(error, "0.73");
      return errorReply(failure.status, failure.code, failure.headers);
    }
    return reply;
  };

  const answer = async (
    request: HttpRequest,
    admission: Exclude<Admission, { kind: "refused" }>,
  ): Promise<void> => {
    let reply: CallReply;
    const requestId = requestIds(request.header("x-request-id"));
    try {
      if (admission.kind === "unauthorized") reply = await unauthorized(request, admission.reply);
      else {
        const { key, bodyLimit } = admission.call;
        const ip = clientIp(request);
        const userAgent = request.header("user-agent");
        const body = await readBody(request, bodyLimit);
        reply = await dispatch({ key, body, requestId, ip, userAgent }, request.signal);
      }
    } catch (error) {
      if (error instanceof ClientGone || request.gone) return;
      const failure = describeFailure(error, "0.73");
      if (failure.unexpected) log.error({ request_id: requestId, err: error }, "management request failed");
      reply = errorReply(failure.status, failure.code, [...failure.headers, ["X-Request-Id", requestId]]);
    }
    request.reply(reply.status, reply.headers, reply.body);
  };

  return (request) => {
    const admission = admit({
      verb: request.method,
      path: request.path,
      query: request.query,
      authorization: request.header("authorization"),
    });
    if (admission.kind !== "refused") return answer(request, admission);
    request.reply(admission.reply.status, admission.reply.headers, admission.reply.body);
    return undefined;
  };
}

async function readBody(request: HttpRequest, limit: number): Promise<Buffer> {
  try {
    return await request.body(limit);
  } catch (error) {
    if (error instanceof ClientGone) throw error;
    throw new AuthError(error instanceof BodyTooLarge ? "request_too_large" : "invalid_request", {
      cause: error,
    });
  }
}
