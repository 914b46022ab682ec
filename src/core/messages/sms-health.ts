import type { Platform } from "../platform.ts";

const topic = "sms-health";
const stateKey = "messages:sms-unhealthy";
/** A verdict nobody renews ends by itself after thirty days. */
const keptSeconds = 30 * 86_400;

/** What every process believes of the SMS sender; healthy until a check says otherwise. */
export interface SmsHealth {
  healthy(): boolean;
  /** Stores the verdict and tells the other processes. */
  report(reason: string | undefined): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export function createSmsHealth({
  ephemeral,
  bus,
  log,
}: Pick<Platform, "ephemeral" | "bus" | "log">): SmsHealth {
  let unhealthy = false;
  let unsubscribe: (() => Promise<void>) | undefined;

  const reload = async (): Promise<void> => {
    unhealthy = (await ephemeral.get(stateKey)) !== undefined;
  };
  const reloadLater = (): void => {
    reload().catch((error: unknown) => log.warn({ err: error }, "SMS health could not be read"));
  };

  return {
    healthy: () => !unhealthy,
    async report(reason) {
      unhealthy = reason !== undefined;
      if (reason === undefined) await ephemeral.delete(stateKey);
      else await ephemeral.set(stateKey, JSON.stringify({ reason }), keptSeconds);
      await bus.publish(topic, JSON.stringify({ unhealthy }));
    },
    async start() {
      unsubscribe = await bus.subscribe(topic, reloadLater);
      bus.onReconnect(reloadLater);
      // Sending does not depend on knowing: an unreadable verdict counts as none.
      await reload().catch((error: unknown) => log.warn({ err: error }, "SMS health could not be read"));
    },
    async close() {
      await unsubscribe?.();
    },
  };
}
