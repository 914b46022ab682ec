import { connect, type Socket } from "node:net";

/** What a server said to bytes that are no proper request. */
export interface RawReply {
  /** Status of the first answer; 0 when the connection ended without one. */
  readonly status: number;
  /** Statuses of every answer on the connection, in order. */
  readonly statuses: readonly number[];
  readonly text: string;
  /** False when the connection was still open at the end of the wait. */
  readonly closed: boolean;
}

export interface RawOptions {
  /** Milliseconds to wait for the end of the connection. */
  readonly waitMs?: number;
  /** Ends the client's half once everything is sent. */
  readonly end?: boolean;
  /** Sent one after the other with a pause between them. */
  readonly pauseMs?: number;
}

export function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket));
    socket.once("error", reject);
  });
}

/** Sends bytes as they are and collects what comes back until the connection ends or the wait is over. */
export async function sendRaw(
  url: string,
  parts: string | Buffer | readonly (string | Buffer)[],
  options: RawOptions = {},
): Promise<RawReply> {
  const socket = await open(url);
  const chunks: Buffer[] = [];
  let closed = false;
  socket.on("data", (chunk: Buffer) => chunks.push(chunk));
  socket.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => {
    socket.once("close", () => {
      closed = true;
      resolve();
    });
  });
  for (const part of typeof parts === "string" || Buffer.isBuffer(parts) ? [parts] : parts) {
    if (closed) break;
    socket.write(typeof part === "string" ? Buffer.from(part, "latin1") : part);
    if (options.pauseMs !== undefined) await new Promise((resolve) => setTimeout(resolve, options.pauseMs));
  }
  if (options.end === true) socket.end();
  const timer = setTimeout(() => socket.destroy(), options.waitMs ?? 3_000);
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(closed), options.waitMs ?? 3_000));
  const inTime = await Promise.race([ended.then(() => true), late]);
  clearTimeout(timer);
  socket.destroy();
  const text = Buffer.concat(chunks).toString("latin1");
  const statuses = [...text.matchAll(/(?:^|\r\n|\n|\})HTTP\/1\.[01] (\d{3})/g)].map(([, code]) =>
    Number(code),
  );
  return { status: statuses[0] ?? 0, statuses, text, closed: inTime };
}
