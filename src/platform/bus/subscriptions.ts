import type { Log } from "../log/port.ts";
import type { Envelope } from "./envelope.ts";

/** Milliseconds a publisher waits for its own message to come back. */
const echoTimeoutMs = 250;

/** Who listens to which channel in this process, and which publications wait for their echo. */
export interface Subscriptions {
  readonly channels: () => readonly string[];
  /** Adds a listener; the function returned removes it. */
  add(channel: string, listener: (message: string) => void): () => void;
  addReconnect(listener: () => void): void;
  deliver(channel: string, envelope: Envelope): void;
  reconnected(): void;
  /** Resolves when the publication `id` came back, or after the time-out. */
  echo(id: string): Promise<void>;
}

export function createSubscriptions(log: Log): Subscriptions {
  const listeners = new Map<string, Set<(message: string) => void>>();
  const reconnectListeners: (() => void)[] = [];
  const waiting = new Map<string, () => void>();

  /** One listener's fault must not keep the others from hearing. */
  function guarded(channel: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      log.error({ channel, err: error }, "a bus listener failed");
    }
  }

  return {
    channels: () => [...listeners.keys()],
    add(channel, listener) {
      const present = listeners.get(channel) ?? new Set();
      listeners.set(channel, present);
      present.add(listener);
      return () => void present.delete(listener);
    },
    addReconnect: (listener) => void reconnectListeners.push(listener),
    deliver(channel, { id, message }) {
      for (const listener of listeners.get(channel) ?? []) guarded(channel, () => listener(message));
      waiting.get(id)?.();
    },
    reconnected() {
      for (const listener of reconnectListeners) guarded("reconnect", listener);
    },
    echo(id) {
      return new Promise((resolve) => {
        const done = () => {
          clearTimeout(timer);
          waiting.delete(id);
          resolve();
        };
        const timer = setTimeout(done, echoTimeoutMs);
        waiting.set(id, done);
      });
    },
  };
}
