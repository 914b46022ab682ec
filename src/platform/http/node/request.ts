import type { IncomingMessage, ServerResponse } from "node:http";
import { ClientGone, type HeaderList, type HttpRequest } from "../engine.ts";
import { unmapPeerAddress } from "../peer-address.ts";
import { checkHeader, isBodiless, isEngineOwned } from "../reply-headers.ts";
import { readBody } from "./body.ts";

/** Missing request bytes that are let pass to keep the connection alive. */
const PASSABLE_BYTES = 64 * 1024;

/** node:http hands header bytes over as Latin-1; the contract of the port is UTF-8 text. */
function text(raw: string): string {
  return /[\x80-\xff]/.test(raw) ? Buffer.from(raw, "latin1").toString("utf8") : raw;
}

function wire(value: string): string {
  return /[^\x00-\x7f]/.test(value) ? Buffer.from(value, "utf8").toString("latin1") : value;
}

export interface NodeServing {
  readonly draining: boolean;
  /** Milliseconds a body may take. */
  readonly bodyTimeout: number;
}

/** A request of node:http. */
export class NodeRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress: string;
  readonly #serving: NodeServing;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  #replied = false;
  #bodyAsked = false;
  #gone = false;
  #abort: AbortController | undefined;

  constructor(serving: NodeServing, incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#serving = serving;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    const target = incoming.url ?? "";
    const mark = target.indexOf("?");
    this.method = incoming.method ?? "";
    this.path = text(mark < 0 ? target : target.slice(0, mark));
    this.query = mark < 0 ? "" : text(target.slice(mark + 1));
    this.remoteAddress = unmapPeerAddress(incoming.socket.remoteAddress ?? "");
    outgoing.once("close", () => {
      if (this.#replied) return;
      this.#gone = true;
      this.#abort?.abort(new ClientGone());
    });
  }

  get gone(): boolean {
    return this.#gone;
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#gone) this.#abort.abort(new ClientGone());
    return this.#abort.signal;
  }

  header(name: string): string | undefined {
    return this.headerValues(name)[0];
  }

  headerText(name: string): string {
    return this.header(name) ?? "";
  }

  headerValues(name: string): readonly string[] {
    return (this.#incoming.headersDistinct[name] ?? []).map(text);
  }

  body(limit: number): Promise<Buffer> {
    if (this.#bodyAsked) return Promise.reject(new Error("the body was already read"));
    this.#bodyAsked = true;
    if (this.#gone) return Promise.reject(new ClientGone());
    return readBody(this.#incoming, limit, this.#serving.bodyTimeout);
  }

  reply(status: number, headers: HeaderList, body?: string | Buffer): void {
    if (this.#replied || this.#gone) return;
    const head = this.#replyHead(headers);
    const bytes = body === undefined ? 0 : Buffer.byteLength(body);
    if (!isBodiless(status)) head.push("Content-Length", String(bytes));
    this.#replied = true;
    this.#outgoing.writeHead(status, head);
    if (body === undefined || this.method === "HEAD" || isBodiless(status)) this.#outgoing.end();
    // As a text it would be joined with the head, and the head's bytes be encoded a second time.
    else this.#outgoing.end(typeof body === "string" ? Buffer.from(body) : body);
    // Whatever the handler did not read has to pass before the next request of the connection.
    this.#incoming.resume();
  }

  #replyHead(headers: HeaderList): string[] {
    const head: string[] = [];
    let close = this.#serving.draining || this.#bodyOutstanding();
    for (const [name, value] of headers) {
      checkHeader(name, value);
      const lower = name.toLowerCase();
      if (lower === "connection") close ||= value.toLowerCase() === "close";
      else if (!isEngineOwned(lower)) head.push(name, wire(value));
    }
    if (close) head.push("Connection", "close");
    return head;
  }

  #bodyOutstanding(): boolean {
    if (this.#incoming.complete) return false;
    if (this.#incoming.headers["transfer-encoding"] !== undefined) return true;
    return Number(this.#incoming.headers["content-length"] ?? 0) > PASSABLE_BYTES;
  }
}
