import { MESSAGE_HEADER, ProtocolViolation } from "./frame.ts";

export interface Message {
  readonly head: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
}

interface Partial {
  readonly head: Readonly<Record<string, unknown>>;
  readonly body: Buffer;
  received: number;
}

function parseHead(json: string): Readonly<Record<string, unknown>> {
  const head: unknown = JSON.parse(json);
  if (!isRecord(head)) throw new ProtocolViolation("the head of a message is no object");
  return head;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Puts messages together from their frames. */
export class MessageAssembly {
  readonly #partials = new Map<number, Partial>();
  readonly #maxBodyBytes: number;

  constructor(maxBodyBytes: number) {
    this.#maxBodyBytes = maxBodyBytes;
  }

  /** True when no message is half received. */
  get empty(): boolean {
    return this.#partials.size === 0;
  }

  /** First frame of a message; the message when that was all of it. Throws `ProtocolViolation` for a body past the bound. */
  begin(id: number, payload: Buffer): Message | undefined {
    const headLength = payload.readUInt32BE(0);
    const bodyLength = payload.readUInt32BE(4);
    if (bodyLength > this.#maxBodyBytes) throw new ProtocolViolation(`a body of ${bodyLength} bytes`);
    const head = parseHead(payload.toString("utf8", MESSAGE_HEADER, MESSAGE_HEADER + headLength));
    const first = payload.subarray(MESSAGE_HEADER + headLength);
    if (first.length === bodyLength) return { head, body: first };
    const body = Buffer.allocUnsafe(bodyLength);
    first.copy(body);
    this.#partials.set(id, { head, body, received: first.length });
    return undefined;
  }

  /** A further part of a body; the message when it is complete. Parts of a forgotten message are ignored. */
  add(id: number, payload: Buffer): Message | undefined {
    const partial = this.#partials.get(id);
    if (partial === undefined) return undefined;
    if (partial.received + payload.length > partial.body.length)
      throw new ProtocolViolation("a body longer than announced");
    payload.copy(partial.body, partial.received);
    partial.received += payload.length;
    if (partial.received < partial.body.length) return undefined;
    this.#partials.delete(id);
    return { head: partial.head, body: partial.body };
  }

  forget(id: number): void {
    this.#partials.delete(id);
  }
}
