import type { Socket } from "node:net";
import type { Log } from "../log/port.ts";
import { frameType } from "./frame.ts";
import { createFrameReader } from "./frame-reader.ts";
import { FrameWriter } from "./frame-writer.ts";
import { type Message, MessageAssembly } from "./message-assembly.ts";
import type { ChannelHandler } from "./port.ts";

/** One client's connection as the server sees it. */
export class ServerConnection {
  readonly #socket: Socket;
  readonly #handler: ChannelHandler;
  readonly #log: Log;
  readonly #changed: () => void;
  readonly #writer: FrameWriter;
  readonly #assembly: MessageAssembly;
  readonly #running = new Map<number, AbortController>();
  /** The client has said that it sends no further call. */
  #clientLeft = false;

  constructor(
    socket: Socket,
    handler: ChannelHandler,
    options: { readonly log: Log; readonly maxBodyBytes: number },
    changed: () => void,
  ) {
    this.#socket = socket;
    this.#handler = handler;
    this.#log = options.log;
    this.#changed = changed;
    this.#writer = new FrameWriter(socket);
    this.#assembly = new MessageAssembly(options.maxBodyBytes);
    const read = createFrameReader((type, id, payload) => this.#receive(type, id, payload));
    socket.on("data", (received) => {
      try {
        read(received);
      } catch (error) {
        this.#log.error({ err: error }, "a channel client broke the protocol");
        socket.destroy();
      }
    });
    socket.on("error", (error) => this.#log.debug({ err: error }, "a channel client's connection broke"));
    socket.on("close", () => {
      for (const controller of this.#running.values()) controller.abort();
      this.#running.clear();
    });
  }

  /** True when the client left, everything is answered and the answers have left the process. */
  get settled(): boolean {
    return this.#clientLeft && this.#running.size === 0 && this.#assembly.empty && this.#writer.settled;
  }

  announceLeaving(): void {
    this.#writer.signal(frameType.goAway, 0);
  }

  close(): void {
    this.#writer.flush();
    this.#socket.destroySoon();
  }

  #receive(type: number, id: number, payload: Buffer): void {
    if (type === frameType.call) this.#run(id, this.#assembly.begin(id, payload));
    else if (type === frameType.body) this.#run(id, this.#assembly.add(id, payload));
    else if (type === frameType.cancel) this.#cancel(id);
    else if (type === frameType.leaving) {
      this.#clientLeft = true;
      this.#settle();
    }
  }

  #run(id: number, request: Message | undefined): void {
    if (request === undefined) return;
    const controller = new AbortController();
    this.#running.set(id, controller);
    this.#handler(request, controller.signal).then(
      (reply) => {
        if (this.#running.delete(id)) this.#writer.message(frameType.reply, id, reply.head, reply.body);
        this.#settle();
      },
      (error: unknown) => {
        if (this.#running.delete(id)) {
          this.#log.error({ err: error }, "a channel handler failed");
          this.#writer.signal(frameType.failed, id);
        }
        this.#settle();
      },
    );
  }

  #cancel(id: number): void {
    this.#assembly.forget(id);
    this.#writer.forget(id);
    const controller = this.#running.get(id);
    this.#running.delete(id);
    controller?.abort();
    this.#settle();
  }

  #settle(): void {
    if (!this.#clientLeft || this.#running.size > 0 || !this.#assembly.empty) return;
    // Answers leave in the next turn; a large one takes until the socket has drained.
    if (this.#writer.settled || this.#socket.destroyed) this.#changed();
    else setTimeout(() => this.#settle(), 5);
  }
}
