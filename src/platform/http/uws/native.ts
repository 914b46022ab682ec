/** The part of uWebSockets.js that the engine uses, including the time-outs this build adds. */
export interface NativeResponse {
  writeStatus(status: string): NativeResponse;
  writeHeader(name: string, value: string): NativeResponse;
  end(body: string | Uint8Array, closeConnection?: boolean): NativeResponse;
  endWithoutBody(contentLength?: number, closeConnection?: boolean): NativeResponse;
  tryEnd(chunk: Uint8Array, totalSize: number): [ok: boolean, done: boolean];
  getWriteOffset(): number;
  onWritable(handler: (offset: number) => boolean): NativeResponse;
  onAborted(handler: () => void): NativeResponse;
  onData(handler: (chunk: ArrayBuffer, isLast: boolean) => void): NativeResponse;
  getRemoteAddress(): ArrayBuffer;
  cork(callback: () => void): NativeResponse;
  pause(): void;
  resume(): void;
  close(): NativeResponse;
}

/** Dead once the request handler returns. */
export interface NativeRequest {
  getHeader(lowerCaseName: string): string;
  getUrl(): string;
  /** Lower-case. */
  getMethod(): string;
  /** Undefined when the target has no `?`. */
  getQuery(): string | undefined;
  forEach(visit: (name: string, value: string) => void): void;
}

export interface NativeListenSocket {
  readonly __nativeListenSocket: never;
}

type Listening = (socket: NativeListenSocket | false) => void;

export interface NativeApp {
  any(pattern: string, handler: (response: NativeResponse, request: NativeRequest) => void): NativeApp;
  filter(handler: (response: NativeResponse, change: number) => void): NativeApp;
  listen(port: number, listening: Listening): NativeApp;
  listen(host: string, port: number, listening: Listening): NativeApp;
  listen_unix(listening: Listening, path: string): NativeApp;
  /** Seconds a connection may take to send a head, or stall within a body. */
  setIdleTimeout(seconds: number): NativeApp;
  /** Seconds a connection may idle after a reply. */
  setResponseTimeout(seconds: number): NativeApp;
  close(): NativeApp;
}

export interface NativeModule {
  App(): NativeApp;
  us_listen_socket_close(socket: NativeListenSocket): void;
  us_socket_local_port(socket: NativeListenSocket): number;
  _cfg(key: string): void;
}
