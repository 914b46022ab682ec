import type { IncomingMessage } from "node:http";
import { BodyTimeout, BodyTooLarge, ClientGone } from "../engine.ts";

/** Reads a whole body. Rejects with `BodyTooLarge`, `BodyTimeout` or `ClientGone`; what is left is then let pass unread. */
export function readBody(incoming: IncomingMessage, limit: number, timeoutMs: number): Promise<Buffer> {
  if (Number(incoming.headers["content-length"] ?? 0) > limit) {
    incoming.resume();
    return Promise.reject(new BodyTooLarge());
  }
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let size = 0;
    const fail = (error: Error): void => {
      stop();
      chunks = [];
      incoming.resume();
      reject(error);
    };
    const data = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > limit) fail(new BodyTooLarge());
      else chunks.push(chunk);
    };
    const end = (): void => {
      stop();
      const [only] = chunks;
      resolve(chunks.length === 1 && only ? only : Buffer.concat(chunks));
    };
    const gone = (): void => fail(new ClientGone());
    const timer = setTimeout(() => fail(new BodyTimeout()), timeoutMs);
    const stop = (): void => {
      clearTimeout(timer);
      incoming.off("data", data).off("end", end).off("close", gone).off("error", gone);
      // A connection that breaks later must not count as an unhandled error.
      incoming.on("error", () => undefined);
    };
    incoming.on("data", data).once("end", end).once("close", gone).once("error", gone);
  });
}
