import type { Bus } from "../../platform/bus/port.ts";
import type { Log } from "../../platform/log/port.ts";
import { encodeMessage, maxIdsPerMessage, revocationsChannel } from "./message.ts";

const retryDelay = 1_000;
/** Beyond this, an outage of the bus is left to the periodic comparison with the database. */
const maxWaiting = 50_000;

/** Publishes ids, many in one message: while one message is on its way, further ids gather for the next. */
export interface Outbox {
  /** Resolves when the id has been published; rejects when the bus refused. It is then tried again until it is through. */
  user(id: string): Promise<void>;
  session(id: string): Promise<void>;
  close(): Promise<void>;
}

export function createOutbox(bus: Bus, log: Log): Outbox {
  let users = new Set<string>();
  let sessions = new Set<string>();
  let sending: Promise<void> | undefined;
  let following: Promise<void> | undefined;
  let retry: NodeJS.Timeout | undefined;
  let closed = false;

  function take(from: Set<string>, count: number): string[] {
    const taken: string[] = [];
    for (const id of from) {
      if (taken.length === count) break;
      taken.push(id);
      from.delete(id);
    }
    return taken;
  }

  async function flush(): Promise<void> {
    while (users.size + sessions.size > 0) {
      const someUsers = take(users, maxIdsPerMessage);
      const someSessions = take(sessions, maxIdsPerMessage - someUsers.length);
      try {
        await bus.publish(revocationsChannel, encodeMessage({ users: someUsers, sessions: someSessions }));
      } catch (error) {
        users = new Set([...someUsers, ...users]);
        sessions = new Set([...someSessions, ...sessions]);
        scheduleRetry();
        throw error;
      }
    }
  }

  function scheduleRetry(): void {
    if (retry !== undefined || closed) return;
    retry = setTimeout(() => {
      retry = undefined;
      send().catch((error: unknown) => log.debug({ err: error }, "revocations still wait for the bus"));
    }, retryDelay);
    retry.unref();
  }

  function send(): Promise<void> {
    if (sending === undefined) {
      sending = flush().finally(() => {
        sending = undefined;
      });
      return sending;
    }
    // The message under way left without the ids added since: one more follows for all of them.
    following ??= sending
      .catch(() => undefined)
      .then(() => {
        following = undefined;
        return send();
      });
    return following;
  }

  function put(into: Set<string>, id: string): Promise<void> {
    if (into.size < maxWaiting) into.add(id);
    return send();
  }

  return {
    user: (id) => put(users, id),
    session: (id) => put(sessions, id),
    async close() {
      closed = true;
      clearTimeout(retry);
      await (following ?? sending)?.catch((error: unknown) =>
        log.warn({ err: error }, "revocations could not be published before the end"),
      );
    },
  };
}
