import { ClientGone, type HeaderList, type HttpRequest } from "../engine.ts";
import { formatPeerAddress } from "../peer-address.ts";
import { BodyReader } from "./body-reader.ts";
import type { NativeRequest, NativeResponse } from "./native.ts";
import { sendReply } from "./send.ts";
import type { Serving } from "./serving.ts";

const EMPTY = Buffer.alloc(0);
const METHODS: ReadonlyMap<string, string> = new Map(
  ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"].map((method) => [
    method.toLowerCase(),
    method,
  ]),
);

/**
 * A request of uWebSockets.js. While the handler has not returned yet, everything is read from the native request on demand; a handler that
 * goes on asynchronously costs one copy of the head (`detach`), one that replied at once costs nothing more.
 */
export class UwsRequest implements HttpRequest {
  readonly #serving: Serving;
  #native: NativeRequest | undefined;
  #response: NativeResponse | undefined;
  #detached = false;
  #method: string | undefined;
  #path: string | undefined;
  #query: string | undefined;
  #remoteAddress: string | undefined;
  /** Names and values in turn, once the head was copied. */
  #head: readonly string[] | undefined;
  #body: BodyReader | undefined;
  #bodyAsked = false;
  #abort: AbortController | undefined;
  #gone = false;

  constructor(serving: Serving, response: NativeResponse, native: NativeRequest) {
    this.#serving = serving;
    this.#response = response;
    this.#native = native;
  }

  get method(): string {
    if (this.#method === undefined) {
      const lower = this.#native?.getMethod() ?? "";
      this.#method = METHODS.get(lower) ?? lower.toUpperCase();
    }
    return this.#method;
  }

  get path(): string {
    this.#path ??= this.#native?.getUrl() ?? "";
    return this.#path;
  }

  get query(): string {
    this.#query ??= this.#native?.getQuery() ?? "";
    return this.#query;
  }

  get remoteAddress(): string {
    this.#remoteAddress ??= this.#response
      ? formatPeerAddress(new Uint8Array(this.#response.getRemoteAddress()))
      : "";
    return this.#remoteAddress;
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
    const head = this.#head;
    if (head) {
      for (let i = 0; i < head.length; i += 2) if (head[i] === name) return head[i + 1];
      return undefined;
    }
    const value = this.#native?.getHeader(name);
    // The native lookup answers an empty text for an absent header as well as for an empty one.
    if (value !== "") return value;
    return this.headerValues(name)[0];
  }

  headerText(name: string): string {
    return this.#head === undefined ? (this.#native?.getHeader(name) ?? "") : (this.header(name) ?? "");
  }

  headerValues(name: string): readonly string[] {
    const head = this.#copiedHead();
    const values: string[] = [];
    for (let i = 0; i < head.length; i += 2) if (head[i] === name) values.push(head[i + 1] ?? "");
    return values;
  }

  body(limit: number): Promise<Buffer> {
    if (this.#bodyAsked) return Promise.reject(new Error("the body was already read"));
    this.#bodyAsked = true;
    if (this.#gone) return Promise.reject(new ClientGone());
    this.#attachBody();
    return this.#body ? this.#body.read(limit) : Promise.resolve(EMPTY);
  }

  reply(status: number, headers: HeaderList, body?: string | Buffer): void {
    const response = this.#response;
    if (response === undefined) return;
    const prepared = this.#serving.prepare(headers);
    this.#response = undefined;
    const missing = this.#body?.stalled === true ? "stalled" : (this.#body?.missing ?? 0);
    this.#body?.release();
    if (!this.#detached) {
      sendReply(
        this.#serving,
        response,
        this.#native?.getMethod() === "head",
        status,
        prepared,
        body,
        missing,
      );
      return;
    }
    const isHead = this.#method === "HEAD";
    response.cork(() => sendReply(this.#serving, response, isHead, status, prepared, body, missing));
    this.#serving.finished();
  }

  /** Called when the handler returned. Keeps what the handler may still need, unless it has replied. */
  detach(): void {
    const response = this.#response;
    if (response !== undefined) {
      this.#copiedHead();
      this.#method = this.method;
      this.#path = this.path;
      this.#query = this.query;
      this.#remoteAddress = this.remoteAddress;
      this.#attachBody();
      this.#detached = true;
      this.#serving.started();
      response.onAborted(() => this.#aborted());
    }
    this.#native = undefined;
  }

  #copiedHead(): readonly string[] {
    if (this.#head === undefined) {
      const head: string[] = [];
      this.#native?.forEach((name, value) => {
        head.push(name, value);
      });
      this.#head = head;
    }
    return this.#head;
  }

  #attachBody(): void {
    if (this.#body !== undefined || this.#native === undefined || this.#response === undefined) return;
    const length = this.header("content-length");
    if (length === undefined && this.header("transfer-encoding") === undefined) return;
    this.#body = new BodyReader(this.#response, {
      length: length === undefined ? undefined : Number(length),
      timeoutMs: this.#serving.bodyTimeout,
      allowSlowBody: () => this.#response && this.#serving.allowSlowBody(this.#response),
    });
  }

  #aborted(): void {
    const unanswered = this.#response !== undefined;
    this.#response = undefined;
    this.#gone = true;
    if (!unanswered) return;
    const error = new ClientGone();
    this.#body?.fail(error);
    this.#abort?.abort(error);
    this.#serving.finished();
  }
}
