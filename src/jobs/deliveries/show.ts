import type { Outbox, OutboxEntry } from "../../core/messages/index.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log/port.ts";

/**
 * The console sender's display, which exists in development alone: the whole text goes to the log, code and link included, and into the
 * list of `/dev/messages`.
 */
export function showInConsole(
  log: Log,
  outbox: Outbox,
  clock: Clock,
): (message: Omit<OutboxEntry, "sentAt">) => Promise<void> {
  return async (message) => {
    await outbox.add({ ...message, sentAt: clock.now().toISOString() });
    const { channel, to, subject, text } = message;
    log.info({ channel, to, subject, text }, "message (console sender)");
  };
}
