import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DeliveryRefused } from "../../../src/platform/delivery.ts";
import type { SmsSender } from "../../../src/platform/sms/port.ts";
import { createTwilioSender } from "../../../src/platform/sms/twilio.ts";
import { type FakeTwilio, startTwilio } from "../../support/twilio.ts";

let twilio: FakeTwilio;
let sender: SmsSender;
const sms = { to: "+12025550123", text: "Auth login code: 123456", idempotencyKey: "key-1" };

beforeEach(async () => {
  twilio = await startTwilio();
  const { accountSid, authToken, messagingServiceSid, url } = twilio;
  sender = createTwilioSender(
    { kind: "twilio", accountSid, authToken, messagingServiceSid, baseUrl: url },
    { timeoutMs: 2_000, pollMs: 5, pollForMs: 100 },
  );
});
afterEach(async () => {
  await sender.close();
  await twilio.stop();
});

const failure = (): Promise<Error> =>
  sender.send(sms).then(
    () => new Error("was sent"),
    (error) => error,
  );
const looks = (): number => twilio.requests().filter((one) => one.startsWith("GET")).length;

describe("Twilio sender", () => {
  test("posts the message and follows it until it is on its way", async () => {
    twilio.state.states = [{ status: "accepted" }, { status: "sending" }, { status: "sent" }];
    await sender.send(sms);
    expect(twilio.messages()).toEqual([
      {
        sid: "SM1",
        to: "+12025550123",
        body: "Auth login code: 123456",
        messagingServiceSid: twilio.messagingServiceSid,
        idempotencyToken: "key-1",
      },
    ]);
    expect(looks()).toBe(3);
  });

  test("a message of unknown fate counts as sent", async () => {
    twilio.state.states = [{ status: "queued" }];
    await sender.send(sms);
    expect(looks()).toBeGreaterThan(1);
  });

  test.each([
    ["undelivered", 30_032, "the toll-free number is not verified"],
    ["failed", 30_034, "not registered for A2P 10DLC"],
    ["undelivered", 30_007, "the carrier filtered the message"],
    ["canceled", 1, "error 1"],
  ])("%s with error %i is final and explained", async (status, code, words) => {
    twilio.state.states = [{ status, error_code: code }];
    const error = await failure();
    expect(error).toBeInstanceOf(DeliveryRefused);
    expect(error.message).toContain(words);
    expect(error.message).not.toContain("+1202");
  });

  test.each([
    [400, 21_211, true],
    [400, 21_408, true],
    [401, 20_003, false],
    [429, 20_429, false],
    [500, undefined, false],
    [503, undefined, false],
  ])("answer %i is final: %s", async (status, code, final) => {
    twilio.state.failures = [code === undefined ? { status } : { status, code }];
    const error = await failure();
    expect(error instanceof DeliveryRefused).toBe(final);
    expect(error.message).toContain(String(status));
    expect(twilio.messages()).toEqual([]);
  });

  test("nobody answering is temporary", async () => {
    await twilio.stop();
    expect(await failure()).not.toBeInstanceOf(DeliveryRefused);
  });
});

describe("health", () => {
  const health = (): Promise<string | undefined> | undefined => sender.health?.();
  const free = { sid: "PN9", phone_number: "+18005550100" };

  test("an active account with a number is healthy, and nothing is sent", async () => {
    expect(await health()).toBeUndefined();
    expect(twilio.messages()).toEqual([]);
  });

  test("a suspended account", async () => {
    twilio.state.accountStatus = "suspended";
    expect(await health()).toBe("the Twilio account is not active");
  });

  test("a service that does not exist", async () => {
    twilio.state.serviceExists = false;
    expect(await health()).toBe("the Twilio messaging service does not exist");
  });

  test("a service without senders; a short code is one", async () => {
    twilio.state.numbers = [];
    expect(await health()).toBe("the Twilio messaging service has no sender");
    twilio.state.shortCodes = 1;
    expect(await health()).toBeUndefined();
  });

  test("of toll-free numbers one must be verified, also beside others", async () => {
    twilio.state.numbers.push(free);
    expect(await health()).toBe("none of the toll-free numbers is verified");
    twilio.state.verifications = { PN9: "PENDING_REVIEW" };
    expect(await health()).toBe("none of the toll-free numbers is verified");
    twilio.state.verifications = { PN9: "TWILIO_APPROVED" };
    expect(await health()).toBeUndefined();
  });

  test("nobody answering", async () => {
    await twilio.stop();
    expect(await health()).toMatch(/^Twilio could not be asked: /);
  });
});
