import { isBodiless, type PreparedHeaders, statusLines } from "../reply-headers.ts";
import type { NativeResponse } from "./native.ts";
import type { Serving } from "./serving.ts";

const EMPTY = Buffer.alloc(0);

/**
 * So many replies without a body, over all connections, and one connection is closed: whoever asks for them in a row and reads none cannot make
 * this process keep them all. Replies with a body need no such rule, see {@link sendBody}.
 */
const BODILESS_REPLIES = 1_000;
let bodiless = 0;

/** Missing request bytes that are let pass to keep the connection alive. */
const PASSABLE_BYTES = 64 * 1024;

/**
 * Writes one reply; the response must be corked. `missing` is how much of the request's body has not arrived (undefined = unknown): when
 * much is missing the client is told that the connection will not be used again, but it is not closed under the upload, because the
 * reset would destroy the reply on its way (RFC 9112 §9.6). Whoever `stalled` has next to nothing on its way, and would go on for ever.
 */
export function sendReply(
  serving: Serving,
  response: NativeResponse,
  isHead: boolean,
  status: number,
  headers: PreparedHeaders,
  body: string | Buffer | undefined,
  missing: number | "stalled" | undefined,
): void {
  if (status !== 200) response.writeStatus(statusLines[status] ?? `${status} Unknown`);
  if (headers.name !== "") response.writeHeader(headers.name, headers.rest);
  let close = headers.close || serving.draining || missing === "stalled";
  if (missing !== 0 && missing !== "stalled") {
    if (close || missing === undefined || missing > PASSABLE_BYTES)
      response.writeHeader("Connection", "close");
    close = false;
  }
  if (isHead || isBodiless(status)) {
    bodiless = (bodiless + 1) % BODILESS_REPLIES;
    if (bodiless === 0 && missing === 0) close = true;
    if (isBodiless(status)) response.endWithoutBody(undefined, close);
    else response.endWithoutBody(body === undefined ? 0 : Buffer.byteLength(body), close);
  } else if (close) {
    response.end(body ?? "", true);
  } else {
    sendBody(serving, response, typeof body === "string" ? Buffer.from(body) : (body ?? EMPTY));
  }
}

/**
 * Hands over as much of a body as the client takes, and the rest as it reads on: a slow reader costs no copy of it. The engine closes the
 * connection of one that asks for more before it has read what it asked for, so that nobody makes it pile up answers.
 */
function sendBody(serving: Serving, response: NativeResponse, body: Buffer): void {
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
