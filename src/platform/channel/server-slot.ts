import { connect } from "node:net";
import type { Log } from "../log/port.ts";
import { ClientConnection, type PendingCall } from "./client-connection.ts";

const FIRST_RETRY_MS = 10;
const LONGEST_RETRY_MS = 1_000;

export interface ServerSlotOptions {
  readonly maxBodyBytes: number;
  readonly log: Log;
}

export interface ServerSlotEvents {
  /** A connection is there; waiting calls may be sent. */
  ready(): void;
  /** Calls that may be sent elsewhere because their connection broke before they were written. */
  unsent(calls: readonly PendingCall[]): void;
}

/** One connection to one path, remade whenever it breaks or its server leaves. */
export class ServerSlot {
  readonly #path: string;
  readonly #options: ServerSlotOptions;
  readonly #events: ServerSlotEvents;
  #current: ClientConnection | undefined;
  /** Connections to leaving servers, kept until their calls are answered. */
  readonly #leaving = new Set<ClientConnection>();
  #retryMs = FIRST_RETRY_MS;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(path: string, options: ServerSlotOptions, events: ServerSlotEvents) {
    this.#path = path;
    this.#options = options;
    this.#events = events;
    this.#connect();
  }

  get serving(): boolean {
    return this.#current !== undefined;
  }

  get inFlight(): number {
    return this.#current?.inFlight ?? 0;
  }

  send(call: PendingCall): void {
    this.#current?.send(call);
  }

  cancel(call: PendingCall): boolean {
    if (this.#current?.cancel(call)) return true;
    for (const connection of this.#leaving) if (connection.cancel(call)) return true;
    return false;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#current?.close();
    for (const connection of this.#leaving) connection.close();
  }

  #connect(): void {
    const socket = connect(this.#path);
    const retry = (): void => this.#retry();
    // Every failure ends in "close", which is where it is dealt with.
    socket.on("error", () => undefined);
    socket.once("close", retry);
    socket.once("connect", () => {
      socket.off("close", retry);
      if (this.#closed) {
        socket.destroy();
        return;
      }
      const connection = new ClientConnection(socket, this.#options.maxBodyBytes, {
        goAway: () => {
          this.#leaving.add(connection);
          this.#current = undefined;
          // The successor usually listens already.
          this.#connect();
        },
        closed: (unsent) => {
          this.#leaving.delete(connection);
          this.#lost(connection);
          this.#events.unsent(unsent);
        },
      });
      this.#current = connection;
      this.#retryMs = FIRST_RETRY_MS;
      this.#events.ready();
    });
  }

  #lost(connection: ClientConnection): void {
    if (this.#current !== connection) return;
    this.#current = undefined;
    if (!this.#closed)
      this.#options.log.warn({ path: this.#path }, "lost the connection to a serving process");
    this.#retry();
  }

  #retry(): void {
    if (this.#closed) return;
    const delay = this.#retryMs;
    this.#retryMs = Math.min(delay * 2, LONGEST_RETRY_MS);
    this.#timer = setTimeout(() => this.#connect(), delay);
  }
}
