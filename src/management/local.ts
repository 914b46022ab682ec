import type { MethodKey } from "../contract/methods/index.ts";
import { createRequestIds } from "../platform/http/request-id.ts";
import type { Dispatch } from "./dispatch.ts";

/** Executes a call from inside this process; errors come back as their envelope. */
export type LocalCall = (call: {
  readonly key: MethodKey;
  readonly body: string;
  readonly signal: AbortSignal;
}) => Promise<{ readonly status: number; readonly body: string }>;

/** What the embedded client calls: dispatch without network, token or admission. */
export function createLocalCall(dispatch: Dispatch): LocalCall {
  const requestIds = createRequestIds();
  return async ({ key, body, signal }) => {
    const call = {
      key,
      body: Buffer.from(body),
      requestId: requestIds(undefined),
      ip: undefined,
      userAgent: undefined,
    };
    const reply = await dispatch(call, signal);
    return { status: reply.status, body: reply.body.toString() };
  };
}
