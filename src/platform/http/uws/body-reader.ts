import { BodyTimeout, BodyTooLarge, type ClientGone } from "../engine.ts";
import type { NativeResponse } from "./native.ts";

/** Bytes held for a handler that has not asked for the body yet; past them the connection is not read any more. */
const HELD_BYTES = 64 * 1024;

interface Waiting {
  readonly limit: number;
  resolve(body: Buffer): void;
  reject(error: Error): void;
}

export interface BodyReaderOptions {
  /** Announced length; undefined for a chunked body. */
  readonly length: number | undefined;
  readonly timeoutMs: number;
  /** Tells the engine's own stall timer to allow as long as `timeoutMs`. */
  allowSlowBody(): void;
}

/** Collects one request's body from the native data callbacks. */
export class BodyReader {
  readonly #response: NativeResponse;
  readonly #options: BodyReaderOptions;
  #chunks: Buffer[] = [];
  #size = 0;
  #finished = false;
  #discarding = false;
  #paused = false;
  #waiting: Waiting | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failure: Error | undefined;
  #stalled = false;

  /** Must be made before the request handler returns: data that arrives without a reader is lost. */
  constructor(response: NativeResponse, options: BodyReaderOptions) {
    this.#response = response;
    this.#options = options;
    response.onData((chunk, isLast) => this.#receive(chunk, isLast));
  }

  /** True once the whole body has arrived. */
  get finished(): boolean {
    return this.#finished;
  }

  /** True once the body took too long: its sender is not worth waiting for. */
  get stalled(): boolean {
    return this.#stalled;
  }

  /** Announced bytes still missing; undefined for an unfinished chunked body. */
  get missing(): number | undefined {
    if (this.#finished) return 0;
    return this.#options.length === undefined ? undefined : this.#options.length - this.#size;
  }

  read(limit: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#failure) return reject(this.#failure);
      if (this.#size > limit || (this.#options.length ?? 0) > limit) {
        this.#discard();
        return reject(new BodyTooLarge());
      }
      if (this.#finished) return resolve(this.#take());
      this.#waiting = { limit, resolve, reject };
      this.#continue();
    });
  }

  /** Ends reading because the connection is gone. */
  fail(error: ClientGone): void {
    this.#finished = true;
    this.#paused = false;
    this.#settle((waiting) => waiting.reject(error));
    this.#failure = error;
    this.#chunks = [];
  }

  /** Lets the rest of the body pass unread once the reply is on its way. */
  release(): void {
    clearTimeout(this.#timer);
    if (!this.#finished) this.#discard();
  }

  #receive(chunk: ArrayBuffer, isLast: boolean): void {
    this.#size += chunk.byteLength;
    this.#finished = isLast;
    if (this.#discarding) return;
    // The engine takes the memory back when this callback returns.
    if (chunk.byteLength > 0) this.#chunks.push(Buffer.from(new Uint8Array(chunk)));
    const waiting = this.#waiting;
    if (waiting && this.#size > waiting.limit) {
      this.#discard();
      this.#settle(() => waiting.reject(new BodyTooLarge()));
    } else if (isLast) {
      this.#settle(() => waiting?.resolve(this.#take()));
    } else if (waiting) {
      this.#options.allowSlowBody();
      this.#startTimer();
    } else if (this.#size > HELD_BYTES && !this.#paused) {
      this.#paused = true;
      this.#response.pause();
    }
  }

  #startTimer(): void {
    this.#timer ??= setTimeout(() => {
      this.#stalled = true;
      this.#discard();
      this.#settle((waiting) => waiting.reject(new BodyTimeout()));
    }, this.#options.timeoutMs);
  }

  #settle(deliver: (waiting: Waiting) => void): void {
    clearTimeout(this.#timer);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting) deliver(waiting);
  }

  #discard(): void {
    this.#discarding = true;
    this.#chunks = [];
    this.#continue();
  }

  #continue(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#response.resume();
  }

  #take(): Buffer {
    const [only] = this.#chunks;
    const body = this.#chunks.length === 1 && only ? only : Buffer.concat(this.#chunks);
    this.#chunks = [];
    return body;
  }
}
