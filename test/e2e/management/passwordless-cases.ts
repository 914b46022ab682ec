import { expect } from "vitest";
import type { Cases, World } from "./case.ts";

const request = (identifier: string, change: object = {}) => ({
  req: { identifier, mode: "", returnTo: "", preferredLanguage: "", accountInviteToken: "", ...change },
});

/** Tells what a case was sent to the call that needs it. */
const sent = new Map<string, { readonly code: string; readonly token: string }>();

async function start({ client, tag, email }: World): Promise<void> {
  const { code, linkUrl } = await client.startPasswordless(request(email));
  sent.set(tag, { code, token: new URL(linkUrl).searchParams.get("token") ?? "" });
}

const banned = async (world: World): Promise<void> => {
  await start(world);
  await world.client.banUser({ userId: world.userId, reason: null, until: null, bannedBy: "" });
};
const codeOf = (world: World): string => sent.get(world.tag)?.code ?? "";
const tokenOf = (world: World): string => sent.get(world.tag)?.token ?? "";
const invitedOnly =
  "invitations are asked for when an account is made, which open registration does without one";
const queued = "messages are queued, and the queue is there";
const console = "development has a console sender";

/** Codes and links that a trusted caller asks for and redeems. */
const inviteRefusals = {
  account_registration_invite_consumed: invitedOnly,
  account_registration_invite_expired: invitedOnly,
  account_registration_invite_not_found: invitedOnly,
  account_registration_invite_revoked: invitedOnly,
};

export const passwordlessCases: Cases = {
  startPasswordless: {
    args: ({ email }) => request(email),
    check: (result) => {
      expect(result).toMatchObject({ sent: true, channel: "email" });
      expect(result.code).toMatch(/^\d{6}$/);
    },
    errors: {
      invalid_email: () => request("a@b@c"),
      invalid_phone_number: () => request("+0123456789"),
      invalid_preferred_language: ({ email }) => request(email, { preferredLanguage: "not a language" }),
      invalid_token: () => request(" "),
    },
    unreachable: {
      email_delivery_failed: queued,
      sms_delivery_failed: queued,
      email_sender_unavailable: console,
      sms_unavailable: console,
      passwordless_disabled: "switched on here",
    },
  },
  confirmPasswordlessCode: {
    before: start,
    args: (world) => ({ identifier: world.email, code: codeOf(world) }),
    check: (result, { userId }) => expect(result).toMatchObject({ userId, method: "passwordless_email" }),
    errors: {
      invalid_email: () => ({ identifier: "a@b@c", code: "000000" }),
      invalid_phone_number: () => ({ identifier: "+0123456789", code: "000000" }),
      invalid_token: ({ email }) => ({ identifier: email, code: "no" }),
      user_banned: async (world) => {
        await banned(world);
        return { identifier: world.email, code: codeOf(world) };
      },
    },
    unreachable: inviteRefusals,
  },
  confirmPasswordlessToken: {
    before: start,
    args: (world) => ({ token: tokenOf(world) }),
    check: (result, { userId }) => expect(result.userId).toBe(userId),
    errors: {
      invalid_token: () => ({ token: "x".repeat(43) }),
      user_banned: async (world) => {
        await banned(world);
        return { token: tokenOf(world) };
      },
    },
    unreachable: inviteRefusals,
  },
  recordFailedPasswordlessCode: {
    args: ({ email }) => ({ identifier: email }),
    check: (result) => expect(result).toBeUndefined(),
  },
  clearPasswordlessCodeAttempts: {
    args: ({ email }) => ({ identifier: email }),
    check: (result) => expect(result).toBeUndefined(),
  },
};
