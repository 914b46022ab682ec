import { Redis } from "ioredis";
import type { RedisConfig } from "../../config/config.ts";
import "./late-errors.ts";
import { nodeOptions, reconnectDelay, serverOptions } from "./options.ts";

export interface SubscriberEvents {
  message(channel: string, text: string): void;
  /** A connection stands: subscribe to everything again. Rejecting makes it reconnect. */
  connected(client: Redis): Promise<void>;
  /** A connection that stood is gone; the next one is under way. */
  lost(): void;
  error(error: Error): void;
}

export interface Subscriber {
  /** The connection, when it stands. */
  readonly client: Redis | undefined;
  close(): void;
}

const pingEveryMs = 5_000;

/**
 * A connection that only listens and comes back by itself. In a Cluster every node hears every publication, so it sits on one node
 * and moves to the next when that one fails. Half-open connections are found by a PING every five seconds.
 */
export function openSubscriber(config: RedisConfig, name: string, events: SubscriberEvents): Subscriber {
  let current: Redis | undefined;
  let standing: Redis | undefined;
  let attempt = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  function connect(): void {
    const client = new Redis({
      ...subscriberOptions(config, name, attempt),
      retryStrategy: null,
      autoResubscribe: false,
    });
    current = client;
    client.on("error", events.error);
    client.on("message", events.message);
    client.once("ready", () => void stand(client));
    client.once("end", () => {
      if (closed) return;
      if (standing === client) {
        standing = undefined;
        events.lost();
      }
      attempt++;
      timer = setTimeout(connect, reconnectDelay(attempt));
    });
  }

  async function stand(client: Redis): Promise<void> {
    try {
      await events.connected(client);
      attempt = 0;
      standing = client;
      watch(client);
    } catch (error) {
      events.error(error instanceof Error ? error : new Error(String(error)));
      client.disconnect();
    }
  }

  function watch(client: Redis): void {
    const ping = setInterval(() => {
      client.ping().catch(() => client.disconnect());
    }, pingEveryMs);
    ping.unref();
    client.once("end", () => clearInterval(ping));
  }

  connect();
  return {
    get client() {
      return standing;
    },
    close() {
      closed = true;
      clearTimeout(timer);
      current?.disconnect();
    },
  };
}

function subscriberOptions(config: RedisConfig, name: string, attempt: number) {
  if (config.mode !== "cluster") return serverOptions(config, name);
  const node = config.nodes[attempt % config.nodes.length];
  return { ...nodeOptions(config, name), host: node?.host ?? "127.0.0.1", port: node?.port ?? 6379 };
}
