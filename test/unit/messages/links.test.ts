import { describe, expect, test } from "vitest";
import { createLinks } from "../../../src/core/messages/links.ts";
import { type ConfigOverrides, testConfig } from "../../support/config.ts";

function links(overrides: ConfigOverrides = {}) {
  return createLinks(testConfig({}, { baseUrl: "https://app.example.com", ...overrides }));
}

describe("links of messages", () => {
  test.each([
    ["verify", { token: "t-1", channel: "email" }, "/verify?channel=email&token=t-1"],
    ["reset", { token: "t", channel: "phone" }, "/reset?channel=phone&token=t"],
    [
      "passwordless",
      { token: "t", return_to: "/a?b=c&d", channel: "sms" },
      "/passwordless?channel=sms&return_to=%2Fa%3Fb%3Dc%26d&token=t",
    ],
    ["invite", { code: "c" }, "/accept-invite?code=c"],
    ["invite", { account_invite_token: "c" }, "/accept-invite?account_invite_token=c"],
  ] as const)("%s %j", (page, parameters, expected) => {
    expect(links()(page, parameters)).toBe(`https://app.example.com${expected}`);
  });

  test.each([
    ["/go?lang=en", "/go?lang=en&token=t"],
    ["/go?", "/go?token=t"],
    ["/go?a=b&", "/go?a=b&token=t"],
    ["/app/", "/app/?token=t"],
    ["/#/verify", "/?token=t#/verify"],
  ])("the path %s is continued", (verifyPath, expected) => {
    expect(links({ frontend: { verifyPath } })("verify", { token: "t" })).toBe(
      `https://app.example.com${expected}`,
    );
  });

  test("slashes at the end of the base are dropped", () => {
    expect(links({ baseUrl: "https://app.example.com/x//" })("reset", { token: "t" })).toBe(
      "https://app.example.com/x/reset?token=t",
    );
  });
});
