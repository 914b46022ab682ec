import { isBodiless, type PreparedHeaders, statusLines } from "../reply-headers.ts";
import type { NativeResponse } from "./native.ts";
import type { Serving } from "./serving.ts";

/** Bodies up to this size are handed over in one call; larger ones as fast as the client reads them. */
const WHOLE_BODY_BYTES = 16 * 1024;
/** Missing request bytes that are let pass to keep the connection alive. */
const PASSABLE_BYTES = 64 * 1024;

/**
 * Writes one reply; the response must be corked. `missing` is how much of the request's body has not arrived (undefined = unknown): when
 * much is missing the client is told that the connection will not be used again, but it is not closed under the upload, because the
 * reset would destroy the reply on its way (RFC 9112 §9.6).
 */
export function sendReply(
  serving: Serving,
  response: NativeResponse,
  isHead: boolean,
  status: number,
  headers: PreparedHeaders,
  body: string | Buffer | undefined,
  missing: number | undefined,
): void {
  if (status !== 200) response.writeStatus(statusLines[status] ?? `${status} Unknown`);
  if (headers.name !== "") response.writeHeader(headers.name, headers.rest);
  let close = headers.close || serving.draining;
  if (missing !== 0) {
    if (close || missing === undefined || missing > PASSABLE_BYTES)
      response.writeHeader("Connection", "close");
    close = false;
  }
  if (isHead || isBodiless(status)) {
    if (isBodiless(status)) response.endWithoutBody(undefined, close);
    else response.endWithoutBody(body === undefined ? 0 : Buffer.byteLength(body), close);
  } else if (body === undefined) {
    response.end("", close);
  } else if (body.length <= WHOLE_BODY_BYTES) {
    response.end(body, close);
  } else {
    sendLarge(serving, response, typeof body === "string" ? Buffer.from(body) : body, close);
  }
}

/** Hands over a large body piece by piece, so that a slow reader costs no second copy of it. */
function sendLarge(serving: Serving, response: NativeResponse, body: Buffer, close: boolean): void {
  if (close) response.writeHeader("Connection", "close");
  const [, done] = response.tryEnd(body, body.length);
  if (done) return;
  serving.started();
  let open = true;
  const finish = (): void => {
    if (open) serving.finished();
    open = false;
  };
  response.onAborted(finish);
  response.onWritable((offset) => {
    const [sent, complete] = response.tryEnd(body.subarray(offset), body.length);
    if (complete) finish();
    return sent;
  });
}
