import { setTimeout as sleep } from "node:timers/promises";
import type { SmsSenderConfig } from "../../config/config.ts";
import { answerError, DeliveryRefused } from "../delivery.ts";
import type { SmsSender } from "./port.ts";
import { createTwilioApi, type TwilioApi } from "./twilio-api.ts";
import { twilioHealth } from "./twilio-health.ts";

const pollMs = 750;
const pollForMs = 12_000;
const arrived = new Set(["delivered", "sent", "received"]);
const lost = new Set(["undelivered", "failed", "canceled"]);

/** What to do about the failures operators meet most. */
const hints: Readonly<Record<number, string>> = {
  21211: "the number is not valid",
  21408: "the country is not enabled for this account",
  21612: "this sender cannot reach the country",
  30007: "the carrier filtered the message; register the sender and check the text",
  30032: "the toll-free number is not verified",
  30034: "the number is not registered for A2P 10DLC",
};

export interface TwilioOptions {
  readonly timeoutMs: number;
  /** Milliseconds between looks at what became of a message; default 750. */
  readonly pollMs?: number;
  /** Milliseconds after which an unknown fate counts as success; default 12 000. */
  readonly pollForMs?: number;
}

/**
 * SMS through a Twilio messaging service. After the message was accepted its status is looked at until it is on its way or lost; when
 * neither is known in time it counts as sent.
 */
export function createTwilioSender(
  config: SmsSenderConfig & { readonly kind: "twilio" },
  options: TwilioOptions,
): SmsSender {
  const api = createTwilioApi(config, options.timeoutMs);
  return {
    name: "twilio",
    async send({ to, text, idempotencyKey }, signal) {
      const form = new URLSearchParams({
        To: to,
        Body: text,
        MessagingServiceSid: config.messagingServiceSid,
      });
      const headers = { "i-twilio-idempotency-token": idempotencyKey };
      const { status, body } = await api.account("/Messages.json", form, { headers, signal });
      if (status < 200 || status > 299) throw answerError("Twilio", status, describe(body["code"]));
      const sid = body["sid"];
      if (typeof sid === "string") await follow(api, sid, options, signal);
    },
    health: (signal) => twilioHealth(api, config.messagingServiceSid, signal),
    close: () => api.close(),
  };
}

/** Throws when the message is lost; returns when it is on its way, and also when nobody can tell in time. */
async function follow(
  api: TwilioApi,
  sid: string,
  options: TwilioOptions,
  signal: AbortSignal | undefined,
): Promise<void> {
  const deadline = performance.now() + (options.pollForMs ?? pollForMs);
  while (performance.now() < deadline && signal?.aborted !== true) {
    const { status, body } = await look(api, sid, signal);
    const state = body["status"];
    if (status === 200 && typeof state === "string") {
      if (arrived.has(state)) return;
      if (lost.has(state))
        throw new DeliveryRefused(`Twilio reports the message ${state}: ${describe(body["error_code"])}`);
    }
    await sleep(options.pollMs ?? pollMs);
  }
}

/** The message has been accepted: a failed look is no failed message. */
async function look(
  api: TwilioApi,
  sid: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly status: number; readonly body: Readonly<Record<string, unknown>> }> {
  try {
    return await api.account(`/Messages/${encodeURIComponent(sid)}.json`, undefined, { signal });
  } catch {
    return { status: 0, body: {} };
  }
}

function describe(code: unknown): string {
  if (typeof code !== "number") return "no error code";
  const hint = hints[code];
  return `error ${code}${hint === undefined ? "" : ` (${hint})`}`;
}
