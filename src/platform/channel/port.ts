/**
 * Request/response between processes of one node over a Unix socket: many requests multiplexed on few connections, bodies in chunks,
 * cancellation by either side. Carries `/v1/call` from http workers to the management worker, and hashes to the hashing processes.
 */
export interface ChannelRequest {
  /** Small JSON-able head. */
  readonly head: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

export interface ChannelReply {
  readonly head: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

export type ChannelHandler = (request: ChannelRequest, signal: AbortSignal) => Promise<ChannelReply>;

export interface ChannelClient {
  /** Rejects with `ChannelUnavailable` when no peer serves within the time allowed; the peer's handler is aborted with `signal`. */
  call(
    request: ChannelRequest,
    options?: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<ChannelReply>;
  close(): Promise<void>;
}

export interface ChannelServer {
  /** Stops accepting requests; resolves when those in flight are answered. */
  drain(timeoutMs: number): Promise<void>;
}

export class ChannelUnavailable extends Error {
  override readonly name = "ChannelUnavailable";
}
