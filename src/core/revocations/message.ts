/** What travels on the bus: ids of accounts whose state changed, and of sessions that ended. */
export interface RevocationMessage {
  readonly users: readonly string[];
  readonly sessions: readonly string[];
}

/** Bus channel of revocations. */
export const revocationsChannel = "revocations";

/** Ids a message may carry; a PostgreSQL notification holds 8000 bytes. */
export const maxIdsPerMessage = 150;

export function encodeMessage(message: RevocationMessage): string {
  return JSON.stringify({ u: message.users, s: message.sessions });
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** Undefined when `text` is no message of ours. */
export function decodeMessage(text: string): RevocationMessage | undefined {
  let decoded: unknown;
  try {
    decoded = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof decoded !== "object" || decoded === null) return undefined;
  return { users: texts(Reflect.get(decoded, "u")), sessions: texts(Reflect.get(decoded, "s")) };
}
