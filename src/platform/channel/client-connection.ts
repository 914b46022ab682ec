import type { Socket } from "node:net";
import { ChannelFailure, frameType } from "./frame.ts";
import { createFrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { type Message, MessageAssembly } from "./message-assembly.ts";
import { type ChannelReply, type ChannelRequest, ChannelUnavailable } from "./port.ts";

/** One call, from `call` until it is settled. */
export interface PendingCall {
  readonly request: ChannelRequest;
  resolve(reply: ChannelReply): void;
  reject(error: Error): void;
}

interface SentCall {
  readonly call: PendingCall;
  /** Flush count of the writer when the call was handed to it. */
  readonly flushes: number;
}

export interface ClientConnectionEvents {
  /** The server wants no further calls on this connection. */
  goAway(): void;
  /** The connection is gone; these calls had not been written and may go elsewhere. */
  closed(unsent: readonly PendingCall[]): void;
}

/** An established connection to one server. */
export class ClientConnection {
  readonly #socket: Socket;
  readonly #writer: FrameWriter;
  readonly #assembly: MessageAssembly;
  readonly #sent = new Map<number, SentCall>();
  readonly #ids = new Map<PendingCall, number>();
  #nextId = 1;
  #leaving = false;

  constructor(socket: Socket, maxBodyBytes: number, events: ClientConnectionEvents) {
    this.#socket = socket;
    this.#writer = new FrameWriter(socket);
    this.#assembly = new MessageAssembly(maxBodyBytes);
    const read = createFrameReader((type, id, payload) => {
      if (type === frameType.reply) this.#settle(id, this.#assembly.begin(id, payload));
      else if (type === frameType.body) this.#settle(id, this.#assembly.add(id, payload));
      else if (type === frameType.failed)
        this.#take(id)?.reject(new ChannelFailure("the peer's handler failed"));
      else if (type === frameType.goAway && !this.#leaving) {
        this.#leaving = true;
        this.#writer.signal(frameType.leaving, 0);
        events.goAway();
      }
    });
    socket.on("data", (received) => {
      try {
        read(received);
      } catch (error) {
        socket.destroy(error instanceof Error ? error : undefined);
      }
    });
    socket.once("close", () => events.closed(this.#end()));
  }

  get inFlight(): number {
    return this.#sent.size;
  }

  send(call: PendingCall): void {
    const id = this.#nextId;
    this.#nextId = id === 0xffffffff ? 1 : id + 1;
    this.#sent.set(id, { call, flushes: this.#writer.flushes });
    this.#ids.set(call, id);
    this.#writer.message(frameType.call, id, call.request.head, call.request.body);
  }

  /** Gives a call up; false when it is not one of this connection. */
  cancel(call: PendingCall): boolean {
    const id = this.#ids.get(call);
    if (id === undefined) return false;
    this.#take(id);
    this.#writer.forget(id);
    this.#writer.signal(frameType.cancel, id);
    return true;
  }

  close(): void {
    this.#socket.destroy();
  }

  #settle(id: number, message: Message | undefined): void {
    if (message !== undefined) this.#take(id)?.resolve(message);
  }

  #take(id: number): PendingCall | undefined {
    const sent = this.#sent.get(id);
    if (sent === undefined) return undefined;
    this.#sent.delete(id);
    this.#ids.delete(sent.call);
    this.#assembly.forget(id);
    return sent.call;
  }

  #end(): PendingCall[] {
    const unsent: PendingCall[] = [];
    for (const { call, flushes } of this.#sent.values()) {
      if (flushes === this.#writer.flushes) unsent.push(call);
      else call.reject(new ChannelUnavailable("the connection to the serving process was lost"));
    }
    this.#sent.clear();
    this.#ids.clear();
    return unsent;
  }
}
