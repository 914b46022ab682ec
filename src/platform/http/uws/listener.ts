import type { Log } from "../../log/port.ts";
import { type SocketFile, takeSocketPath } from "../../unix-socket.ts";
import type { HttpEngineLimits, HttpHandler, HttpListener, ListenOptions } from "../engine.ts";
import { createHeaderPreparation } from "../reply-headers.ts";
import { isAmbiguous } from "./framing.ts";
import type { NativeApp, NativeListenSocket, NativeModule, NativeResponse } from "./native.ts";
import { UwsRequest } from "./request.ts";
import type { Serving } from "./serving.ts";

const seconds = (milliseconds: number): number => Math.max(1, Math.ceil(milliseconds / 1000));
/** The native timers tick every four seconds; a body's own timer must always fire first. */
const NATIVE_TIMER_SLACK = 8000;

class UwsListener implements HttpListener, Serving {
  readonly prepare = createHeaderPreparation();
  readonly bodyTimeout: number;
  draining = false;
  port = 0;
  readonly #native: NativeModule;
  readonly #app: NativeApp;
  readonly #headerTimeout: number;
  #socket: NativeListenSocket | undefined;
  #inFlight = 0;
  #connections = 0;
  #changed: (() => void) | undefined;
  #draining: Promise<void> | undefined;
  #file: SocketFile | undefined;

  constructor(native: NativeModule, limits: Required<HttpEngineLimits>, handler: HttpHandler, log: Log) {
    this.#native = native;
    this.bodyTimeout = limits.bodyTimeout;
    this.#headerTimeout = seconds(limits.headerTimeout);
    this.#app = native.App();
    this.#app.setIdleTimeout(this.#headerTimeout);
    this.#app.setResponseTimeout(seconds(limits.idleTimeout));
    const counted = (_response: NativeResponse, change: number): void => {
      this.#connections += change;
      if (this.draining) this.#changed?.();
    };
    this.#app.filter(counted);
    const failed = (request: UwsRequest, error: unknown): void => {
      log.error({ err: error }, "request handler failed");
      request.reply(500, []);
    };
    this.#app.any("/*", (response, nativeRequest) => {
      if (isAmbiguous(nativeRequest)) {
        response.writeStatus("400 Bad Request").end("", true);
        return;
      }
      const request = new UwsRequest(this, response, nativeRequest);
      try {
        const pending = handler(request);
        if (pending !== undefined) pending.catch((error: unknown) => failed(request, error));
      } catch (error) {
        failed(request, error);
      }
      request.detach();
    });
  }

  async listen(options: ListenOptions): Promise<void> {
    const { path, host, port = 0 } = options;
    if (path !== undefined) {
      this.#file = await takeSocketPath(path, (temporary) =>
        this.#bind(path, (listening) => this.#app.listen_unix(listening, temporary)),
      );
      return;
    }
    await this.#bind(`${host ?? "*"}:${port}`, (listening) =>
      host === undefined ? this.#app.listen(port, listening) : this.#app.listen(host, port, listening),
    );
    if (this.#socket) this.port = this.#native.us_socket_local_port(this.#socket);
  }

  #bind(
    where: string,
    listen: (listening: (socket: NativeListenSocket | false) => void) => void,
  ): Promise<void> {
    return new Promise((resolve, reject) => {
      listen((socket) => {
        if (socket === false)
          return reject(new Error(`cannot listen on ${where}: in use, unknown or not permitted`));
        this.#socket = socket;
        resolve();
      });
    });
  }

  started(): void {
    this.#inFlight++;
  }

  finished(): void {
    this.#inFlight--;
    if (this.draining) this.#changed?.();
  }

  allowSlowBody(response: NativeResponse): void {
    this.#app.setIdleTimeout(seconds(this.bodyTimeout + NATIVE_TIMER_SLACK));
    // Resuming is what arms the connection's timer anew.
    response.pause();
    response.resume();
    this.#app.setIdleTimeout(this.#headerTimeout);
  }

  drain(options: { lingerMs: number; timeoutMs: number }): Promise<void> {
    this.#draining ??= this.#drain(options);
    return this.#draining;
  }

  async #drain({ lingerMs, timeoutMs }: { lingerMs: number; timeoutMs: number }): Promise<void> {
    const end = performance.now() + timeoutMs;
    this.draining = true;
    if (this.#socket) this.#native.us_listen_socket_close(this.#socket);
    this.#socket = undefined;
    this.#file?.remove();
    await this.#until(() => this.#connections === 0, Math.min(lingerMs, timeoutMs));
    await this.#until(() => this.#inFlight === 0, end - performance.now());
    this.#app.close();
  }

  #until(reached: () => boolean, milliseconds: number): Promise<void> {
    if (reached() || milliseconds <= 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#changed = undefined;
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      this.#changed = () => reached() && done();
    });
  }
}

/** Starts one listener; rejects when the address cannot be bound. */
export async function listenUws(
  native: NativeModule,
  limits: Required<HttpEngineLimits>,
  options: ListenOptions,
  handler: HttpHandler,
  log: Log,
): Promise<HttpListener> {
  const listener = new UwsListener(native, limits, handler, log);
  await listener.listen(options);
  return listener;
}
