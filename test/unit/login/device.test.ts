import { describe, expect, test } from "vitest";
import { deviceKey, deviceName } from "../../../src/core/login/device.ts";

const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0";
const chrome =
  "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36";
const edge =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0";
const safari =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1";

describe("the name of a device", () => {
  test.each([
    [firefox, "Firefox, Windows"],
    [chrome, "Chrome, Android"],
    [edge, "Edge, Windows"],
    [safari, "Safari, iPhone"],
    ["curl/8.5.0", "curl"],
    ["Acme App/3.1 (Linux)", "Acme App, Linux"],
    ["<a href=https://evil.example>click</a>", "a hrefhttps"],
    ["Mozilla/5.0", "?"],
    ["", "?"],
  ])("%s", (agent, name) => {
    expect(deviceName(agent)).toBe(name);
  });
});

test("an update is no other device, another program is", () => {
  expect(deviceKey(firefox)).toBe(deviceKey(firefox.replaceAll("128.0", "131.0.2")));
  expect(deviceKey(safari)).toBe(deviceKey(safari.replace("17_5 like", "18_0_1 like")));
  expect(deviceKey(firefox)).not.toBe(deviceKey(edge));
  expect(deviceKey("  ")).toBe("");
});
