import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createIdentities } from "../../../src/core/identities/index.ts";
import type { ConfigOverrides } from "../../support/config.ts";
import { addUser, context, type Fixture, openFixture, refusal } from "../users/fixture.ts";

let f: Fixture;
beforeAll(async () => {
  f = await openFixture();
});
afterAll(() => f.close());

const mail = { kind: "console", from: "auth@localhost" } as const;

/** Links the account to one provider and tells what comes of removing it. */
async function unlinked(
  contacts: Parameters<typeof addUser>[1],
  overrides: ConfigOverrides,
): Promise<string | undefined> {
  const { platform, audit } = f.with(overrides);
  const identities = createIdentities(platform, audit);
  const { id: userId } = await addUser(f, { email: null, phoneNumber: null, ...contacts });
  const subject = randomUUID();
  await identities.link(
    { userId, issuer: "https://accounts.example.com", provider: "example", subject, email: null },
    context(),
  );
  return refusal(identities.unlink(userId, "example", context(), { keepLoginMethod: true }));
}

it.each([
  ["a verified address", "removed", { email: "one@example.com", emailVerified: true }, {}],
  ["an unverified address", "kept", { email: "two@example.com", emailVerified: false }, {}],
  ["no contact", "kept", {}, {}],
  [
    "a verified address, and passwordless off",
    "kept",
    { email: "three@example.com", emailVerified: true },
    { passwordless: { enabled: false } },
  ],
  [
    "a verified address, and nothing that sends mail",
    "kept",
    { email: "four@example.com", emailVerified: true },
    { senders: { mail: undefined } },
  ],
  [
    "a verified number, and nothing that sends SMS",
    "kept",
    { phoneNumber: "+4930123456", phoneVerified: true },
    {},
  ],
  [
    "a verified number",
    "removed",
    { phoneNumber: "+4930123457", phoneVerified: true },
    { senders: { sms: { kind: "console" } } },
  ],
] as const)("with %s the last provider is %s", async (_what, expected, contacts, overrides) => {
  const passwordless = { passwordless: { enabled: true }, senders: { mail, sms: undefined }, ...overrides };
  const outcome = await unlinked(contacts, passwordless);
  expect(outcome).toBe(expected === "removed" ? undefined : "cannot_unlink_last_login_method");
});
