/** Header list as sent; names in any case, values without CR or LF. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/**
 * One request, alive until its reply is sent or the client went away. Safe to use after the handler returned: the engine copies what it needs
 * when the handler goes asynchronous.
 */
export interface HttpRequest {
  /** Upper-case. */
  readonly method: string;
  /** Raw path, still percent-encoded, without the query. */
  readonly path: string;
  /** Raw query without `?`; empty when none. */
  readonly query: string;
  /** First value of a header, by lower-case name; undefined when absent. */
  header(name: string): string | undefined;
  /** The same, empty when absent: cheaper, where that makes no difference. */
  headerText(name: string): string;
  /** All values of a header that may be repeated. */
  headerValues(name: string): readonly string[];
  /** Textual peer address; IPv4-mapped IPv6 comes as plain IPv4. */
  readonly remoteAddress: string;
  /** Reads the whole body. Rejects with `BodyTooLarge` past `limit` bytes, `BodyTimeout`, or `ClientGone`. May be called once. */
  body(limit: number): Promise<Buffer>;
  /** True when the client disconnected. */
  readonly gone: boolean;
  /** Aborts when the client disconnects before the reply was sent. Created on first use. */
  readonly signal: AbortSignal;
  /** Sends the reply; later calls are ignored. HEAD never sends a body. */
  reply(status: number, headers: HeaderList, body?: string | Buffer): void;
}

export type HttpHandler = (request: HttpRequest) => void | Promise<void>;

export interface ListenOptions {
  readonly host?: string;
  readonly port?: number;
  /** Unix socket path instead of host and port. */
  readonly path?: string;
}

export interface HttpListener {
  /** The bound port (useful with port 0); 0 for a Unix socket. */
  readonly port: number;
  /**
   * Stops accepting and drains: listen socket closed, replies from now on carry `Connection: close`, idle connections closed after
   * `lingerMs`; resolves when no request is in flight or after `timeoutMs`, when the rest is cut.
   */
  drain(options: { lingerMs: number; timeoutMs: number }): Promise<void>;
}

/** The small port behind which uWebSockets.js and node:http both serve. */
export interface HttpEngine {
  readonly name: "uws" | "node";
  listen(options: ListenOptions, handler: HttpHandler): Promise<HttpListener>;
}

export interface HttpEngineLimits {
  /** Bytes of request head accepted (default 64 KiB). */
  readonly maxHeaderBytes?: number;
  /** Milliseconds to receive the head (default 5 000). */
  readonly headerTimeout?: number;
  /** Milliseconds to receive the body (default 30 000). */
  readonly bodyTimeout?: number;
  /** Milliseconds a keep-alive connection may idle (default 120 000). */
  readonly idleTimeout?: number;
}

export class BodyTooLarge extends Error {
  override readonly name = "BodyTooLarge";
}
export class BodyTimeout extends Error {
  override readonly name = "BodyTimeout";
}
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}
