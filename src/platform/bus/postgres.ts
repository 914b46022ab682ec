import { Client, type ClientConfig } from "pg";
import { AuthError } from "../../contract/errors/index.ts";
import type { Log } from "../log/port.ts";
import type { Random } from "../random.ts";
import { decodeEnvelope, encodeEnvelope } from "./envelope.ts";
import type { Bus } from "./port.ts";
import { createSubscriptions } from "./subscriptions.ts";

const firstDelayMs = 50;
const longestDelayMs = 1_000;

/**
 * LISTEN/NOTIFY over one connection of its own, for development without Redis. Messages stay below PostgreSQL's 8000 bytes.
 *
 * @param connection must reach the server itself: a transaction pooler drops LISTEN.
 * @param schema keeps deployments in one database apart.
 */
export function createPostgresBus(connection: ClientConfig, schema: string, log: Log, random: Random): Bus {
  const subscriptions = createSubscriptions(log);
  const notifyChannel = `${schema}_bus`;
  let client: Client | undefined;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let connectedBefore = false;
  let connecting = connect(0);

  async function connect(attempt: number): Promise<void> {
    const candidate = new Client({ ...connection, application_name: "authkit bus", keepAlive: true });
    let lost = false;
    const lose = (error?: Error) => {
      if (lost) return;
      lost = true;
      if (client === candidate) client = undefined;
      candidate
        .end()
        .catch((endError: unknown) => log.debug({ err: endError }, "closing the bus connection failed"));
      if (closed) return;
      log.debug({ err: error, attempt }, "bus connection lost");
      const delay = Math.min(firstDelayMs * 2 ** attempt, longestDelayMs);
      timer = setTimeout(() => {
        connecting = connect(attempt + 1);
      }, delay);
    };
    candidate.on("error", lose);
    candidate.on("end", () => lose());
    candidate.on("notification", ({ payload }) => receive(payload ?? ""));
    try {
      await candidate.connect();
      await candidate.query(`LISTEN "${notifyChannel}"`);
    } catch (error) {
      lose(error instanceof Error ? error : undefined);
      return;
    }
    client = candidate;
    if (connectedBefore) subscriptions.reconnected();
    connectedBefore = true;
  }

  /** The payload is `<channel> <id> <message>`. */
  function receive(payload: string): void {
    const outer = decodeEnvelope(payload);
    const envelope = outer === undefined ? undefined : decodeEnvelope(outer.message);
    if (outer !== undefined && envelope !== undefined) subscriptions.deliver(outer.id, envelope);
  }

  return {
    async publish(channel, message) {
      await connecting;
      if (client === undefined) throw new AuthError("service_unavailable", { retryAfter: 1 });
      const id = random.token(9);
      const echo = subscriptions.echo(id);
      const payload = encodeEnvelope({ id: channel, message: encodeEnvelope({ id, message }) });
      try {
        await client.query("SELECT pg_notify($1, $2)", [notifyChannel, payload]);
      } catch (error) {
        throw new AuthError("service_unavailable", { retryAfter: 1, cause: error });
      }
      await echo;
    },
    async subscribe(channel, listener) {
      const remove = subscriptions.add(channel, listener);
      await connecting;
      return async () => remove();
    },
    onReconnect: (listener) => subscriptions.addReconnect(listener),
    connected: () => client !== undefined,
    async close() {
      closed = true;
      clearTimeout(timer);
      await connecting;
      await client?.end();
    },
  };
}
