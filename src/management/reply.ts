import { encodeErrorCode } from "../contract/codec/index.ts";
import type { HeaderList } from "../platform/http/engine.ts";

/** An answer of the management API, before it becomes HTTP. */
export interface CallReply {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: string | Buffer;
}

function frozen(headers: HeaderList): HeaderList {
  // The engines prepare a frozen list once for all replies.
  for (const header of headers) Object.freeze(header);
  return Object.freeze(headers);
}

/** Headers of everything behind the router. No charset: RFC 8259 §11 defines none. */
export const jsonHeaders = frozen([
  ["Content-Type", "application/json"],
  ["Cache-Control", "no-store"],
]);

/** Headers of the router's own answers. */
const routerHeaders = frozen([
  ["Content-Type", "text/plain; charset=utf-8"],
  ["X-Content-Type-Options", "nosniff"],
]);

/** A plain text of the router. */
export function routerReply(status: number, text: string, headers: HeaderList = []): CallReply {
  return {
    status,
    headers: headers.length === 0 ? routerHeaders : [...routerHeaders, ...headers],
    body: text,
  };
}

/** The error envelope; `headers` come on top of the usual ones. */
export function errorReply(status: number, code: string, headers: HeaderList = []): CallReply {
  return {
    status,
    headers: headers.length === 0 ? jsonHeaders : [...jsonHeaders, ...headers],
    body: `${encodeErrorCode(code)}\n`,
  };
}
