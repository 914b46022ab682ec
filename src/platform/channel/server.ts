import { chmodSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { Log } from "../log/port.ts";
import { type SocketFile, takeSocketPath } from "../unix-socket.ts";
import type { ChannelHandler, ChannelServer } from "./port.ts";
import { ServerConnection } from "./server-connection.ts";

export interface ChannelServerOptions {
  readonly log: Log;
  /** Largest request body accepted (default 64 MiB); a client that sends more is cut off. */
  readonly maxBodyBytes?: number;
}

class Listener implements ChannelServer {
  readonly #server: Server;
  readonly #connections = new Set<ServerConnection>();
  #file: SocketFile | undefined;
  #changed: (() => void) | undefined;
  #drained: Promise<void> | undefined;

  constructor(handler: ChannelHandler, options: ChannelServerOptions) {
    const maxBodyBytes = options.maxBodyBytes ?? 64 * 1024 * 1024;
    this.#server = createServer((socket: Socket) => {
      const connection = new ServerConnection(socket, handler, { log: options.log, maxBodyBytes }, () =>
        this.#changed?.(),
      );
      this.#connections.add(connection);
      socket.once("close", () => {
        this.#connections.delete(connection);
        this.#changed?.();
      });
    });
  }

  async listen(path: string): Promise<void> {
    this.#file = await takeSocketPath(path, async (temporary) => {
      await new Promise<void>((resolve, reject) => {
        this.#server.once("error", reject);
        // `exclusive`: inside a cluster this process binds by itself, not through the primary.
        this.#server.listen({ path: temporary, exclusive: true }, () => {
          this.#server.off("error", reject);
          resolve();
        });
      });
      chmodSync(temporary, 0o600);
    });
  }

  drain(timeoutMs: number): Promise<void> {
    this.#drained ??= this.#drain(timeoutMs);
    return this.#drained;
  }

  async #drain(timeoutMs: number): Promise<void> {
    this.#file?.remove();
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections) connection.announceLeaving();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#changed = () => {
        for (const connection of this.#connections) if (!connection.settled) return;
        clearTimeout(timer);
        resolve();
      };
      this.#changed();
    });
    for (const connection of this.#connections) connection.close();
    await closed;
  }
}

/**
 * Serves a channel at a Unix socket path, readable by the same user only. A stale or still serving socket at the path is replaced without a gap.
 * Rejects when the path cannot be bound.
 */
export async function listenChannel(
  path: string,
  handler: ChannelHandler,
  options: ChannelServerOptions,
): Promise<ChannelServer> {
  const listener = new Listener(handler, options);
  await listener.listen(path);
  return listener;
}
