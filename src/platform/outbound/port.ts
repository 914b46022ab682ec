export interface OutboundRequest {
  readonly url: string;
  readonly method?: "GET" | "POST";
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Milliseconds for the whole exchange; default 10 000. */
  readonly timeout?: number;
  /** Bytes of response body accepted; default 1 MiB. More rejects. */
  readonly maxBytes?: number;
  readonly signal?: AbortSignal;
}

export interface OutboundResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/**
 * HTTP calls to other servers (identity providers, JWKS of remote applications, webhooks): pooled connections, time-outs, size cap, no
 * redirects, and a guard that resolves the host first and refuses private and reserved addresses (spec 30 §5.4) unless allowed.
 */
export interface Outbound {
  request(request: OutboundRequest): Promise<OutboundResponse>;
  /** A `fetch` with the same rules, for libraries that want one. */
  readonly fetch: typeof globalThis.fetch;
  close(): Promise<void>;
}
