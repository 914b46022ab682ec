import { randomUUID } from "node:crypto";
import { inject } from "vitest";
import { createContactChanges } from "../../../src/core/contact-change/index.ts";
import { createLimits } from "../../../src/core/limits/index.ts";
import { createLoginCompletion } from "../../../src/core/login/completion.ts";
import { createPasswordLogin } from "../../../src/core/login/password-login.ts";
import type { SecondFactorRequired } from "../../../src/core/login/types.ts";
import type { Message } from "../../../src/core/messages/types.ts";
import { createPasswordReset } from "../../../src/core/password-reset/index.ts";
import { createPasswordChanges, createPasswords } from "../../../src/core/passwords/index.ts";
import {
  createPendingLogins,
  createRegistration,
  createRegistrationBooks,
} from "../../../src/core/registration/index.ts";
import { createSensitiveGate } from "../../../src/core/step-up/sensitive.ts";
import {
  createContactMessages,
  createContactProofs,
  createRecoveryRequests,
  createVerification,
  createVerificationGate,
} from "../../../src/core/verification/index.ts";
import { createEphemeralStore } from "../../../src/platform/ephemeral/index.ts";
import { createInProcessHasher } from "../../../src/platform/hashing/in-process.ts";
import { createRateLimiter } from "../../../src/platform/limiter/index.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import type { JobQueue } from "../../../src/platform/queue/port.ts";
import { connectRedis } from "../../../src/platform/redis/connection.ts";
import { type ConfigOverrides, testConfig } from "../../support/config.ts";
import { context, openFixture as openUsers, type Fixture as UsersFixture } from "../users/fixture.ts";

/** A mailbox and a phone at once: what was sent, newest last; sending can be made to fail. */
export class RecordingMessages {
  readonly sent: Message[] = [];
  channels: readonly ("email" | "sms")[] = ["email", "sms"];
  failing = false;
  available = (channel: "email" | "sms"): boolean => this.channels.includes(channel);
  send = async (message: Message): Promise<void> => {
    if (this.failing) throw new Error("the sender is broken");
    this.sent.push(message);
  };
  link = (page: string, parameters: Readonly<Record<string, string>>): string =>
    `https://app.example/${page}?${new URLSearchParams(parameters)}`;

  /** The newest message to an address. */
  last(to: string): Message {
    const message = this.sent.findLast((one) => one.to === to);
    if (message === undefined) throw new Error(`no message to ${to}`);
    return message;
  }
  code(to: string): string {
    return this.last(to).code ?? "";
  }
  token(to: string): string {
    return new URL(this.last(to).url ?? "").searchParams.get("token") ?? "";
  }
}

/** Keeps jobs until they are asked to run. */
class HeldQueue implements JobQueue {
  readonly jobs: object[] = [];
  enqueue = async (_queue: string, payload: object): Promise<void> => void this.jobs.push(payload);
  holds = async (): Promise<boolean> => false;
  close = async (): Promise<void> => undefined;
}

export type Flows = ReturnType<typeof assemble>;
export type Fixture = Awaited<ReturnType<typeof openFixture>>;

/** Registration, verification, contact change and reset over real PostgreSQL and Redis. Limits are off unless asked for. */
export async function openFixture(overrides: ConfigOverrides = {}) {
  const users = await openUsers({ limits: { enabled: false }, ...overrides });
  const prefix = `t${process.pid}-${Date.now()}:`;
  const redisConfig = testConfig({ redisUrl: inject("redisUrl"), redisKeyPrefix: prefix }).redis;
  if (redisConfig === undefined) throw new Error("no Redis configured");
  const redis = connectRedis(redisConfig, silentLog, { name: "test" });
  return {
    ...users,
    ...assemble(users, redis),
    /** The same flows under another configuration, over the same servers. */
    under: (changes: ConfigOverrides) =>
      assemble(users.with({ limits: { enabled: false }, ...changes }), redis),
    async close() {
      await redis.close();
      await users.close();
    },
  };
}

function assemble(built: ReturnType<UsersFixture["with"]>, redis: ReturnType<typeof connectRedis>) {
  const { config, database, users, sessions, audit, mfaStates } = built;
  const messages = new RecordingMessages();
  const queue = new HeldQueue();
  const hasher = createInProcessHasher(config.passwords.argon2);
  const ephemeral = createEphemeralStore({ redis, database });
  const limiter = createRateLimiter({ redis, database });
  const platform = { ...built.platform, hasher, ephemeral, limiter, queue };
  const limits = createLimits(platform);
  const passwords = createPasswords(platform);
  const passwordChanges = createPasswordChanges(platform, { passwords, sessions, audit });
  const contactMessages = createContactMessages(messages, built.log);
  const proofs = createContactProofs(platform, contactMessages);
  const books = createRegistrationBooks(platform, { users, audit, messages: contactMessages });
  const secondFactor: { answer: SecondFactorRequired | undefined } = { answer: undefined };
  const verificationGate = createVerificationGate(platform, { proofs, messages: contactMessages, limits });
  const completion = createLoginCompletion({
    newDevices: { notice: async () => undefined },
    users,
    sessions,
    secondFactors: { begin: async () => secondFactor.answer },
    verification: verificationGate,
  });
  const background = createRecoveryRequests(platform);
  const registration = createRegistration(platform, {
    ...{ ...books, users, passwords, limits, messages: contactMessages, completion, background },
    startVerification: proofs.start,
  });
  const contactChanges = createContactChanges(platform, {
    ...{ users, proofs, messages: contactMessages, background },
  });
  const verification = createVerification(platform, {
    ...{ users, pending: books.pending, proofs, changes: contactChanges, completion, background },
  });
  const passwordReset = createPasswordReset(platform, {
    ...{ users, passwords, passwordChanges, messages, contactMessages, audit, background },
  });
  const passwordLogin = createPasswordLogin({
    ...{ users, passwords, limits, audit, completion },
    pending: createPendingLogins(platform, { pending: books.pending, passwords, limits }),
  });
  const gate = createSensitiveGate(platform, {
    ...{ sessions, passwords, mfaStates, limits, audit },
    providers: () => [
      { id: "google", name: "Google", kind: "oidc", provesFreshness: true, answersByForm: false },
      { id: "discord", name: "Discord", kind: "oauth2", provesFreshness: false, answersByForm: false },
    ],
  });
  return {
    ...built,
    ...{ messages, ephemeral, passwords, passwordChanges, books, proofs, registration, verification },
    ...{ contactChanges, passwordReset, passwordLogin, gate, secondFactor, queue },
    /** Runs what was left to the background. */
    async serveBackground(): Promise<void> {
      for (const payload of queue.jobs.splice(0)) {
        const { request, context: from } = background.open(payload, randomUUID());
        const { kind, channel, address, registration: claim, userId } = request;
        if (kind === "registration") await registration.serve(channel, address, claim, from);
        else if (kind === "contact_change") await contactChanges.serve(userId ?? "", channel, address, from);
        else if (kind === "password_reset") await passwordReset.serve(channel, address, from);
        else await verification.serve(channel, address, from);
      }
    },
  };
}

let serial = 0;

/** Somebody who has not registered yet. */
export function person() {
  const n = ++serial;
  return {
    email: `person${n}@example.com`,
    phone: `+4930${String(n).padStart(7, "0")}`,
    username: `person_${n}`,
    password: "correct horse battery",
  };
}

export { addUser, refusal } from "../users/fixture.ts";
export { context };
