import { describe, expect, it } from "vitest";
import { createClientIpResolver, type HeaderValues } from "../../../src/core/limits/index.ts";

const headers =
  (values: Readonly<Record<string, string | readonly string[]>>): HeaderValues =>
  (name) => {
    const value = values[name];
    return value === undefined ? [] : typeof value === "string" ? [value] : value;
  };
const forwarded = (...values: string[]) => headers({ "x-forwarded-for": values });

describe("client address without trusted proxies", () => {
  const resolve = createClientIpResolver([], true);
  it("is the peer, whatever the headers claim", () => {
    const claims = headers({
      "x-forwarded-for": "198.51.100.9",
      "cf-connecting-ip": "198.51.100.10",
      forwarded: "for=1.2.3.4",
    });
    expect(resolve("203.0.113.7", claims)).toBe("203.0.113.7");
    expect(resolve("10.0.0.1", claims)).toBe("10.0.0.1");
  });
  it("has one spelling", () => {
    expect(resolve("::ffff:203.0.113.7", headers({}))).toBe("203.0.113.7");
    expect(resolve("2001:0DB8:0000:0000:0000:0000:0000:0001", headers({}))).toBe("2001:db8::1");
    expect(resolve("fe80::1%eth0", headers({}))).toBe("fe80::1");
  });
  it("is unknown for a peer without one", () => {
    expect(resolve("", headers({}))).toBeUndefined();
    expect(resolve("@unix", headers({}))).toBeUndefined();
  });
});

describe("a proxy nobody has declared", () => {
  it("is told of once, when it is a private peer that forwards", () => {
    const told: string[] = [];
    const resolve = createClientIpResolver(["10.0.0.0/8"], true, (peer) => told.push(peer));
    resolve("172.16.0.9", headers({}));
    resolve("203.0.113.7", forwarded("198.51.100.9"));
    resolve("10.0.0.1", forwarded("198.51.100.9"));
    expect(told).toEqual([]);
    expect(resolve("172.16.0.9", forwarded("198.51.100.9"))).toBe("172.16.0.9");
    resolve("172.16.0.10", forwarded("198.51.100.9"));
    expect(told).toEqual(["172.16.0.9"]);
  });
});

describe("client address behind trusted proxies", () => {
  const resolve = createClientIpResolver(["10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.10"], false);
  const cases: [string, string, string[], string][] = [
    ["takes the only entry", "10.0.0.1", ["203.0.113.7"], "203.0.113.7"],
    [
      "takes the rightmost entry, not what the client wrote",
      "10.0.0.1",
      ["6.6.6.6, 203.0.113.7"],
      "203.0.113.7",
    ],
    ["skips trusted hops", "10.0.0.1", ["203.0.113.7, 192.0.2.10, 10.9.9.9"], "203.0.113.7"],
    ["skips unreadable entries", "10.0.0.1", ["203.0.113.7, unknown, , 1.2.3"], "203.0.113.7"],
    ["reads repeated headers as one list", "10.0.0.1", ["6.6.6.6", "203.0.113.7"], "203.0.113.7"],
    ["stops at a private address", "10.0.0.1", ["203.0.113.7, 192.168.1.1"], "10.0.0.1"],
    ["stops at loopback", "10.0.0.1", ["203.0.113.7, 127.0.0.1"], "10.0.0.1"],
    ["stops at a mapped private address", "10.0.0.1", ["203.0.113.7, ::ffff:192.168.1.1"], "10.0.0.1"],
    ["stays with the peer when all hops are trusted", "10.0.0.1", ["10.0.0.2, 10.0.0.3"], "10.0.0.1"],
    ["stays with the peer without a header", "10.0.0.1", [], "10.0.0.1"],
    ["reads ports and brackets", "10.0.0.1", ["[2001:DB8::7]:443"], "2001:db8::7"],
    ["reads IPv4 with a port", "10.0.0.1", ["203.0.113.7:51234"], "203.0.113.7"],
    ["trusts an IPv6 proxy", "2001:db8:ffff::1", ["203.0.113.7"], "203.0.113.7"],
    ["trusts a mapped IPv4 proxy", "::ffff:10.0.0.1", ["203.0.113.7"], "203.0.113.7"],
    ["believes nothing of a peer outside the list", "203.0.113.99", ["198.51.100.1"], "203.0.113.99"],
  ];
  it.each(cases)("%s", (_, peer, values, expected) => {
    expect(resolve(peer, forwarded(...values))).toBe(expected);
  });
  it("ignores CF-Connecting-IP unless told to honour it", () => {
    expect(resolve("10.0.0.1", headers({ "cf-connecting-ip": "198.51.100.1" }))).toBe("10.0.0.1");
  });
  it("costs little for an endless header", () => {
    const began = performance.now();
    expect(resolve("10.0.0.1", forwarded(`203.0.113.7${",x".repeat(30_000)}`))).toBe("10.0.0.1");
    expect(performance.now() - began).toBeLessThan(100);
  });
});

describe("client address behind Cloudflare", () => {
  const resolve = createClientIpResolver(["10.0.0.0/8"], true);
  it.each([
    ["one public address", "198.51.100.1", "198.51.100.1"],
    ["a private address", "192.168.0.1", "203.0.113.7"],
    ["two addresses", "198.51.100.1, 198.51.100.2", "203.0.113.7"],
    ["nonsense", "client", "203.0.113.7"],
  ])("with %s", (_, value, expected) => {
    expect(
      resolve("10.0.0.1", headers({ "cf-connecting-ip": value, "x-forwarded-for": "203.0.113.7" })),
    ).toBe(expected);
  });
  it("refuses a doubled header", () => {
    const doubled = headers({
      "cf-connecting-ip": ["198.51.100.1", "198.51.100.2"],
      "x-forwarded-for": "203.0.113.7",
    });
    expect(resolve("10.0.0.1", doubled)).toBe("203.0.113.7");
  });
});

it.each([
  "10.0.0.0/33",
  "10.0.0.0/-1",
  "10.0.0.0/",
  "10.0.0/8",
  "proxy.example",
  "10.0.0.0/8/8",
  "::/129",
  "",
])("refuses the trusted range %j by name", (range) => {
  expect(() => createClientIpResolver([range], false)).toThrow(`"${range}"`);
});
