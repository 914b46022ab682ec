import { type Static, Type } from "typebox";
import { payloadCipher } from "../../platform/queue/index.ts";
import { schemaCheck } from "../../platform/schema-check.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { ContactChannel } from "./messages.ts";

/** Queue of requests that a stranger may make about any address. */
const recoveryQueue = "recovery-requests";

/** Attempts end with the request's time, not with their number: an outage of some minutes costs nobody the message that was promised. */
export const recoveryQueueDefinition = {
  name: recoveryQueue,
  retryLimit: 10_000,
  retryDelaySeconds: 2,
  retryDelayMaxSeconds: 60,
  timeoutSeconds: 60,
} as const;

/** Seconds after which nobody waits for the message any more. */
const lifetime = 900;

const payloadSchema = Type.Object({
  kind: Type.Union([
    Type.Literal("verification"),
    Type.Literal("password_reset"),
    Type.Literal("passwordless"),
    Type.Literal("registration"),
    Type.Literal("contact_change"),
  ]),
  channel: Type.Union([Type.Literal("email"), Type.Literal("phone")]),
  address: Type.String(),
  language: Type.String(),
  requestId: Type.String(),
  ip: Type.Optional(Type.String()),
  userAgent: Type.Optional(Type.String()),
  /** Passwordless sign-in only. */
  passwordless: Type.Optional(
    Type.Object({
      mode: Type.Union([Type.Literal("code"), Type.Literal("link"), Type.Literal("both")]),
      returnTo: Type.String(),
      language: Type.String(),
      inviteHash: Type.String(),
    }),
  ),
  /** Registration only: what the pending one will consist of. */
  registration: Type.Optional(
    Type.Object({
      username: Type.String(),
      passwordHash: Type.String(),
      inviteHash: Type.Optional(Type.String()),
    }),
  ),
  /** Contact change only: whose contact it is to be. */
  userId: Type.Optional(Type.String()),
});

export type RecoveryRequest = Static<typeof payloadSchema>;

/** What only some kinds of requests carry. */
export type RecoveryDetails = Pick<RecoveryRequest, "passwordless" | "registration" | "userId">;

/**
 * Requests whose answer must say nothing: the same row is written to a queue for every address, and only the jobs worker looks whether
 * anybody has it. So known and unknown addresses differ neither in status, body nor time.
 */
export interface RecoveryRequests {
  enqueue(
    kind: RecoveryRequest["kind"],
    channel: ContactChannel,
    address: string,
    context: CallContext,
    details?: RecoveryDetails,
  ): Promise<void>;
  /** The request a job carries, and on whose behalf it runs; what it sends goes by `messageKey`. Throws when it is not one of ours. */
  open(
    payload: unknown,
    messageKey: string,
  ): { readonly request: RecoveryRequest; readonly context: CallContext };
}

export function createRecoveryRequests(platform: Pick<Platform, "config" | "queue">): RecoveryRequests {
  const cipher = payloadCipher(platform.config);
  const shape = schemaCheck(payloadSchema);

  return {
    async enqueue(kind, channel, address, context, details = {}) {
      const request: RecoveryRequest = {
        ...{ kind, channel, address, language: context.language, requestId: context.requestId },
        ...(context.ip === undefined ? {} : { ip: context.ip }),
        ...(context.userAgent === undefined ? {} : { userAgent: context.userAgent }),
        ...details,
      };
      await platform.queue.enqueue(recoveryQueue, cipher.seal(recoveryQueue, request), {
        expireInSeconds: lifetime,
      });
    },

    open(payload, messageKey) {
      const request = cipher.open(recoveryQueue, payload);
      if (!shape.matches(request)) throw new Error("not a recovery request");
      return {
        request,
        context: {
          requestId: request.requestId,
          ip: request.ip,
          userAgent: request.userAgent,
          language: request.language,
          actor: undefined,
          signal: undefined,
          messageKey,
        },
      };
    },
  };
}
