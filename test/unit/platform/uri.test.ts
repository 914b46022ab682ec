import { describe, expect, it } from "vitest";
import { assertPublicHttpsUrl } from "../../../src/platform/outbound/uri.ts";

const fault = (text: string, allowPrivate = false): string => {
  try {
    assertPublicHttpsUrl(text, { allowPrivate });
    return "ok";
  } catch (error) {
    return String(error instanceof Error ? Reflect.get(error, "fault") : error);
  }
};

describe("addresses to be called later", () => {
  it.each([
    ["https://idp.example/jwks.json?x=1", "ok"],
    ["https://8.8.8.8/", "ok"],
    ["https://[2606:4700::1111]/", "ok"],
    ["https://metadata.example/", "ok"],
    ["http://idp.example/", "invalid_url"],
    ["ftp://idp.example/", "invalid_url"],
    ["javascript:alert(1)", "invalid_url"],
    ["//idp.example/", "invalid_url"],
    ["https://", "invalid_url"],
    ["", "invalid_url"],
    [" https://idp.example/", "invalid_url"],
    ["https://idp.example/\n", "invalid_url"],
    ["https://user:pass@idp.example/", "invalid_url"],
    ["https://127.0.0.1/", "blocked_address"],
    ["https://0x7f000001/", "blocked_address"],
    ["https://[::ffff:10.0.0.1]/", "blocked_address"],
    ["https://LocalHost/", "blocked_address"],
    ["https://localhost./", "blocked_address"],
    ["https://app.localhost/", "blocked_address"],
    ["https://metadata/", "blocked_address"],
    ["https://metadata.google.internal/", "blocked_address"],
    ["https://host-gateway/", "blocked_address"],
    ["https://host.docker.internal/", "blocked_address"],
    ["https://x.containers.internal/", "blocked_address"],
  ])("%j: %s", (text, expected) => {
    expect(fault(text)).toBe(expected);
  });
  it.each([
    ["http://localhost:3000/jwks.json", "ok"],
    ["https://10.0.0.1/", "ok"],
    ["ftp://localhost/", "invalid_url"],
    ["https://user@localhost/", "invalid_url"],
  ])("in development %j: %s", (text, expected) => {
    expect(fault(text, true)).toBe(expected);
  });
});
