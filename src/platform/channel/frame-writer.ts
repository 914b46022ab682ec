import type { Socket } from "node:net";
import { CHUNK, FRAME_HEADER, frameType, MESSAGE_HEADER } from "./frame.ts";

const SLAB = 64 * 1024;
/** Bytes handed to the socket before large bodies wait for it to drain. */
const HIGH_WATER = 256 * 1024;

interface PendingBody {
  readonly id: number;
  readonly body: Buffer;
  offset: number;
}

/**
 * Writes frames to one socket. Small frames of one turn of the event loop leave in one write; large bodies go in chunks, in turn, as fast as the
 * peer reads.
 */
export class FrameWriter {
  readonly #socket: Socket;
  #slab: Buffer = Buffer.allocUnsafeSlow(SLAB);
  #start = 0;
  #end = 0;
  #scheduled = false;
  #bodies: PendingBody[] = [];
  #flushes = 0;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("drain", () => this.#sendBodies());
  }

  /** Grows with every flush: a frame made at count n has left the process once the count is above n. */
  get flushes(): number {
    return this.#flushes;
  }

  /** True when nothing waits for a turn or for the peer. */
  get settled(): boolean {
    return this.#end === this.#start && this.#bodies.length === 0 && this.#socket.writableLength === 0;
  }

  /** A frame without payload, or with a short text. */
  signal(type: number, id: number, text = ""): void {
    this.#reserve(FRAME_HEADER + text.length * 3);
    const length = this.#slab.write(text, this.#end + FRAME_HEADER);
    this.#header(length, type, id);
    this.#end += length;
  }

  message(type: number, id: number, head: Readonly<Record<string, unknown>>, body: Buffer): void {
    const json = JSON.stringify(head);
    const first = Math.min(body.length, CHUNK);
    this.#reserve(FRAME_HEADER + MESSAGE_HEADER + json.length * 3 + first);
    const at = this.#end + FRAME_HEADER;
    const headLength = this.#slab.write(json, at + MESSAGE_HEADER);
    this.#slab.writeUInt32BE(headLength, at);
    this.#slab.writeUInt32BE(body.length, at + 4);
    body.copy(this.#slab, at + MESSAGE_HEADER + headLength, 0, first);
    this.#header(MESSAGE_HEADER + headLength + first, type, id);
    this.#end += MESSAGE_HEADER + headLength + first;
    if (first < body.length) this.#bodies.push({ id, body, offset: first });
  }

  /** Drops what is left of a body that nobody wants any more. The peer must be told by a frame. */
  forget(id: number): void {
    if (this.#bodies.length > 0) this.#bodies = this.#bodies.filter((pending) => pending.id !== id);
  }

  #reserve(bytes: number): void {
    if (this.#end + bytes > this.#slab.length) {
      this.flush();
      this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB, bytes));
      this.#start = 0;
      this.#end = 0;
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.flush();
      this.#sendBodies();
    });
  }

  #header(length: number, type: number, id: number): void {
    this.#slab.writeUInt32BE(length, this.#end);
    this.#slab[this.#end + 4] = type;
    this.#slab.writeUInt32BE(id, this.#end + 5);
    this.#end += FRAME_HEADER;
  }

  flush(): void {
    if (this.#end === this.#start) return;
    // The written part of the slab is never touched again; the next frames go behind it.
    const batch = this.#slab.subarray(this.#start, this.#end);
    this.#start = this.#end;
    this.#flushes++;
    if (this.#socket.writable) this.#socket.write(batch);
  }

  #sendBodies(): void {
    while (this.#bodies.length > 0 && this.#socket.writable && this.#socket.writableLength < HIGH_WATER) {
      const pending = this.#bodies.shift();
      if (pending === undefined) return;
      const chunk = pending.body.subarray(pending.offset, pending.offset + CHUNK);
      this.#reserve(FRAME_HEADER);
      this.#header(chunk.length, frameType.body, pending.id);
      this.flush();
      this.#socket.write(chunk);
      pending.offset += chunk.length;
      if (pending.offset < pending.body.length) this.#bodies.push(pending);
    }
  }
}
