import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Log } from "../../log/port.ts";
import { type SocketFile, takeSocketPath } from "../../unix-socket.ts";
import type { HttpEngineLimits, HttpHandler, HttpListener, ListenOptions } from "../engine.ts";
import { NodeRequest, type NodeServing } from "./request.ts";

class NodeListener implements HttpListener, NodeServing {
  readonly bodyTimeout: number;
  draining = false;
  port = 0;
  readonly #server: Server;
  #file: SocketFile | undefined;
  #inFlight = 0;
  #idle: (() => void) | undefined;
  #drained: Promise<void> | undefined;

  constructor(limits: Required<HttpEngineLimits>, handler: HttpHandler, log: Log) {
    this.bodyTimeout = limits.bodyTimeout;
    this.#server = createServer({
      maxHeaderSize: limits.maxHeaderBytes,
      headersTimeout: limits.headerTimeout,
      // The body's own timer answers; this one only cuts what nobody reads.
      requestTimeout: limits.headerTimeout + limits.bodyTimeout + 8_000,
      keepAliveTimeout: limits.idleTimeout,
      connectionsCheckingInterval: Math.min(1_000, limits.headerTimeout),
      joinDuplicateHeaders: false,
    });
    this.#server.maxHeadersCount = 100;
    const failed = (request: NodeRequest, error: unknown): void => {
      log.error({ err: error }, "request handler failed");
      request.reply(500, []);
    };
    this.#server.on("request", (incoming: IncomingMessage, outgoing: ServerResponse) => {
      this.#inFlight++;
      outgoing.once("close", () => {
        this.#inFlight--;
        if (this.#inFlight === 0) this.#idle?.();
      });
      const request = new NodeRequest(this, incoming, outgoing);
      if (incoming.httpVersionMajor !== 1) return request.reply(505, [["Connection", "close"]]);
      try {
        const pending = handler(request);
        if (pending !== undefined) pending.catch((error: unknown) => failed(request, error));
      } catch (error) {
        failed(request, error);
      }
    });
  }

  async listen(options: ListenOptions): Promise<void> {
    const { path } = options;
    if (path !== undefined) {
      this.#file = await takeSocketPath(path, (temporary) => this.#bind({ path: temporary }));
      return;
    }
    const host = options.host === undefined ? {} : { host: options.host };
    // As with the other engine every process listens by itself and the kernel balances.
    await this.#bind({
      ...host,
      port: options.port ?? 0,
      exclusive: true,
      reusePort: process.platform === "linux",
    });
    const address = this.#server.address();
    this.port = typeof address === "object" && address !== null ? address.port : 0;
  }

  #bind(options: Parameters<Server["listen"]>[0] & object): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(options, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  drain(options: { lingerMs: number; timeoutMs: number }): Promise<void> {
    this.#drained ??= this.#drain(options);
    return this.#drained;
  }

  async #drain({ lingerMs, timeoutMs }: { lingerMs: number; timeoutMs: number }): Promise<void> {
    const end = performance.now() + timeoutMs;
    this.draining = true;
    this.#file?.remove();
    const closed = new Promise<void>((resolve) => this.#stopListening(resolve));
    await within(closed, Math.min(lingerMs, timeoutMs));
    this.#server.closeIdleConnections();
    if (this.#inFlight > 0) {
      await within(new Promise<void>((resolve) => (this.#idle = resolve)), end - performance.now());
    }
    this.#server.closeAllConnections();
    await closed;
  }

  /** `Server.close` of node:http would end idle connections at once, before they could be told. */
  #stopListening(closed: () => void): void {
    const closeIdle = this.#server.closeIdleConnections;
    this.#server.closeIdleConnections = () => undefined;
    this.#server.close(closed);
    this.#server.closeIdleConnections = closeIdle;
  }
}

/** Resolves with the promise or after a time. */
async function within(promise: Promise<void>, milliseconds: number): Promise<void> {
  if (milliseconds <= 0) return;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

/** Starts one listener; rejects when the address cannot be bound. */
export async function listenNode(
  limits: Required<HttpEngineLimits>,
  options: ListenOptions,
  handler: HttpHandler,
  log: Log,
): Promise<HttpListener> {
  const listener = new NodeListener(limits, handler, log);
  await listener.listen(options);
  return listener;
}
