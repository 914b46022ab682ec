import { OutboundError } from "./errors.ts";
import type { OutboundRequest, OutboundResponse } from "./port.ts";

type Send = (request: OutboundRequest, body: Uint8Array | undefined) => Promise<OutboundResponse>;

const bodiless = new Set([204, 205, 304]);

/** A `fetch` over the guarded transport: GET and POST, never following a redirect, whole bodies only. */
export function createFetch(send: Send): typeof globalThis.fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    const method = request.method;
    if (method !== "GET" && method !== "POST")
      throw new OutboundError("invalid_url", `method ${method} is not supported`);
    const body = request.body === null ? undefined : new Uint8Array(await request.arrayBuffer());
    const {
      status,
      headers,
      body: bytes,
    } = await send(
      { url: request.url, method, headers: Object.fromEntries(request.headers), signal: request.signal },
      body,
    );
    // `Response` refuses interim statuses; a server that ends an exchange with one broke the protocol.
    if (status < 200) throw new OutboundError("network", `unexpected status ${status}`);
    const response = new Response(bodiless.has(status) ? null : new Uint8Array(bytes), { status, headers });
    Object.defineProperty(response, "url", { value: request.url });
    return response;
  };
}
