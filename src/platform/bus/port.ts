/** Fan-out of small JSON messages to every process of every node. Redis pub/sub, or PostgreSQL LISTEN/NOTIFY in development. */
export interface Bus {
  /** Resolves once this process has seen its own message come back, or after a short time-out: subscribers then have it too. */
  publish(channel: string, message: string): Promise<void>;
  /** Returns a function that ends the subscription. */
  subscribe(channel: string, listener: (message: string) => void): Promise<() => Promise<void>>;
  /** Called each time the feed was interrupted and is back: listeners must re-read what they may have missed. */
  onReconnect(listener: () => void): void;
  /** False while the feed is known to be interrupted: messages may be passing this process by. */
  connected(): boolean;
  close(): Promise<void>;
}
