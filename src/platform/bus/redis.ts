import type { Log } from "../log/port.ts";
import type { Random } from "../random.ts";
import type { RedisConnection } from "../redis/connection.ts";
import { openSubscriber } from "../redis/subscriber.ts";
import { decodeEnvelope, encodeEnvelope } from "./envelope.ts";
import type { Bus } from "./port.ts";
import { createSubscriptions } from "./subscriptions.ts";

/** Pub/sub over a connection of its own for listening; publications go over the shared one. */
export function createRedisBus(
  redis: RedisConnection,
  log: Log,
  random: Random,
  options: { name: string },
): Bus {
  const subscriptions = createSubscriptions(log);
  const waitingForConnection: (() => void)[] = [];
  /** Something may have been published while nobody here listened. */
  let missed = false;

  const subscriber = openSubscriber(redis.config, options.name, {
    message(name, text) {
      const envelope = decodeEnvelope(text);
      if (envelope !== undefined && name.startsWith(redis.config.keyPrefix)) {
        subscriptions.deliver(name.slice(redis.config.keyPrefix.length), envelope);
      }
    },
    async connected(client) {
      const names = subscriptions.channels().map((channel) => redis.key(channel));
      if (names.length > 0) await client.subscribe(...names);
      for (const resume of waitingForConnection.splice(0)) resume();
      if (missed) subscriptions.reconnected();
      missed = false;
    },
    lost() {
      missed = true;
    },
    error: (error) => log.debug({ err: error }, "bus connection failed"),
  });

  /** Subscribes on the server; during an outage the subscription is made when the connection is back. */
  async function listen(channel: string): Promise<void> {
    const { client } = subscriber;
    if (client === undefined) {
      await connected();
      return;
    }
    try {
      await client.subscribe(redis.key(channel));
    } catch (error) {
      log.debug({ err: error }, "bus connection lost while subscribing");
      client.disconnect();
      await connected();
    }
  }

  function connected(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        missed = true;
        resolve();
      }, 1_000);
      waitingForConnection.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  return {
    async publish(channel, message) {
      const id = random.token(9);
      const own = subscriptions.channels().includes(channel);
      if (!own) {
        subscriptions.add(channel, () => undefined);
        await listen(channel);
      }
      const echo = subscriptions.echo(id);
      await redis.run((client) => client.publish(redis.key(channel), encodeEnvelope({ id, message })));
      await echo;
    },
    async subscribe(channel, listener) {
      const known = subscriptions.channels().includes(channel);
      const remove = subscriptions.add(channel, listener);
      if (!known) await listen(channel);
      // The server-side subscription stays: channels are few and fixed.
      return async () => remove();
    },
    onReconnect: (listener) => subscriptions.addReconnect(listener),
    connected: () => subscriber.client !== undefined && !missed,
    async close() {
      subscriber.close();
    },
  };
}
