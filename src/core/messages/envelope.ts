import type { Channel, Message, MessageKind } from "./types.ts";
import { messageKinds } from "./types.ts";

/** Queue of each channel; both are defined with the other jobs. */
export const deliveryQueues: Readonly<Record<Channel, string>> = {
  email: "deliver-email",
  sms: "deliver-sms",
};

/** A message as it lies, sealed, in the queue. */
export interface QueuedMessage extends Message {
  /** Names the message to senders, receivers and the record of what was delivered. */
  readonly id: string;
  /** Milliseconds since the epoch: dead afterwards. */
  readonly expiresAt: number;
}

const kinds: ReadonlySet<string> = new Set(messageKinds);

function isKind(value: unknown): value is MessageKind {
  return typeof value === "string" && kinds.has(value);
}

function optionalText(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * Reads an opened payload back.
 *
 * @throws Error when it is none, for instance of a later release.
 */
export function parseQueuedMessage(payload: unknown): QueuedMessage {
  if (typeof payload !== "object" || payload === null) throw new Error("a queued message is no object");
  const member = (name: string): unknown => Reflect.get(payload, name);
  const [id, kind, channel, to, language] = ["id", "kind", "channel", "to", "language"].map(member);
  const [ttlSeconds, expiresAt] = ["ttlSeconds", "expiresAt"].map(member);
  if (!isKind(kind)) throw new Error("a queued message is of an unknown kind");
  if (
    typeof id !== "string" ||
    (channel !== "email" && channel !== "sms") ||
    typeof to !== "string" ||
    typeof language !== "string" ||
    typeof ttlSeconds !== "number" ||
    typeof expiresAt !== "number"
  ) {
    throw new Error("a queued message lacks members");
  }
  return {
    id,
    kind,
    channel,
    to,
    language,
    username: optionalText(member("username")),
    code: optionalText(member("code")),
    url: optionalText(member("url")),
    device: optionalText(member("device")),
    ttlSeconds,
    expiresAt,
  };
}
