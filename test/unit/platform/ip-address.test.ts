import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatIp,
  inRange,
  networkOf,
  parseIp,
  parseRange,
} from "../../../src/platform/outbound/ip-address.ts";
import { isReservedAddressText } from "../../../src/platform/outbound/reserved.ts";

const canonical = (text: string) => {
  const address = parseIp(text);
  return address === undefined ? undefined : formatIp(address);
};

describe("addresses", () => {
  it.each([
    ["1.2.3.4", "1.2.3.4"],
    ["::", "::"],
    ["::1", "::1"],
    ["1::", "1::"],
    ["2001:DB8::0:1", "2001:db8::1"],
    ["2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"],
    ["2001:0:0:1:0:0:0:1", "2001:0:0:1::1"],
    ["2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"],
    ["::ffff:1.2.3.4", "1.2.3.4"],
    ["::FFFF:0102:0304", "1.2.3.4"],
    ["::1.2.3.4", "::102:304"],
    ["64:ff9b::1.2.3.4", "64:ff9b::102:304"],
    ["fe80::1%lo", "fe80::1"],
  ])("%s is written %s", (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });
  it.each([
    "",
    "1.2.3",
    "01.2.3.4",
    "1.2.3.256",
    "1.2.3.4:5",
    "[::1]",
    ":::",
    "1::2::3",
    "g::",
    " 1.2.3.4",
    "1.2.3.4/8",
  ])("%j is none", (text) => {
    expect(parseIp(text)).toBeUndefined();
  });
  it("are what node:net takes for addresses", () => {
    const group = fc.oneof(
      fc.constantFrom("", "0", "ffff", "10000", "g", "1.2.3.4", "1.2.3.256", "01.2.3.4"),
      fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEF"), minLength: 1, maxLength: 4 }),
    );
    const like = fc.array(group, { maxLength: 9 }).map((groups) => groups.join(":"));
    const shortened = fc.tuple(like, like).map(([left, right]) => `${left}::${right}`);
    const quads = fc
      .array(fc.nat(300).map(String), { minLength: 3, maxLength: 5 })
      .map((parts) => parts.join("."));
    const any = fc.string({ unit: fc.constantFrom(..."0123456789abf:.") });
    fc.assert(
      fc.property(fc.oneof(like, shortened, quads, any, fc.ipV4(), fc.ipV6()), (text) => {
        expect(parseIp(text) !== undefined, text).toBe(isIP(text) !== 0);
      }),
      { numRuns: 20_000 },
    );
  });
  it("survives writing and reading again", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        const once = canonical(text);
        expect(once).toBeDefined();
        expect(canonical(once ?? "")).toBe(once);
      }),
    );
  });
});

describe("ranges", () => {
  it.each([
    ["10.0.0.0/8", "10.255.255.255", true],
    ["10.0.0.0/8", "11.0.0.0", false],
    ["172.16.0.0/12", "172.31.255.255", true],
    ["172.16.0.0/12", "172.32.0.0", false],
    ["0.0.0.0/0", "8.8.8.8", true],
    ["0.0.0.0/0", "::1", false],
    ["::/0", "::1", true],
    ["fe80::/10", "febf::1", true],
    ["fe80::/10", "fec0::1", false],
    ["::ffff:10.0.0.0/104", "10.1.1.1", true],
    ["192.0.2.1", "192.0.2.1", true],
    ["192.0.2.1", "192.0.2.2", false],
  ])("%s has %s: %s", (range, text, expected) => {
    const address = parseIp(text);
    expect(address !== undefined && inRange(address, parseRange(range))).toBe(expected);
  });
  it("names the network of an address", () => {
    const of = (text: string, prefix: number) => {
      const address = parseIp(text);
      return address && networkOf(address, prefix);
    };
    expect(of("2001:db8:1:2:3:4:5:6", 64)).toBe("2001:db8:1:2::/64");
    expect(of("2001:db8:1:ffff::", 60)).toBe("2001:db8:1:fff0::/60");
    expect(of("10.1.2.3", 24)).toBe("10.1.2.0/24");
  });
});

describe("reserved addresses", () => {
  it.each([
    ...[
      "0.1.2.3",
      "10.0.0.1",
      "100.64.0.1",
      "100.127.255.255",
      "127.0.0.1",
      "169.254.169.254",
      "172.16.0.1",
      "192.0.0.8",
    ],
    ...[
      "192.0.2.1",
      "192.168.1.1",
      "198.18.0.1",
      "198.19.255.255",
      "198.51.100.1",
      "203.0.113.1",
      "224.0.0.1",
      "240.0.0.1",
    ],
    ...[
      "255.255.255.255",
      "::",
      "::1",
      "::ffff:127.0.0.1",
      "::ffff:a00:1",
      "::7f00:1",
      "64:ff9b::a00:1",
      "64:ff9b:1::1",
    ],
    ...[
      "2001:db8::1",
      "2002:a00:1::",
      "fc00::1",
      "fd12::1",
      "fe80::1",
      "febf::1",
      "fec0::1",
      "ff02::1",
      "nonsense",
    ],
  ])("%s", (text) => {
    expect(isReservedAddressText(text)).toBe(true);
  });
  it.each([
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "198.17.0.1",
    "198.20.0.1",
  ])("not %s", (text) => {
    expect(isReservedAddressText(text)).toBe(false);
  });
  it.each(["2606:4700::1111", "2001:4860:4860::8888", "2001:db7::1", "::ffff:8.8.8.8"])("not %s", (text) => {
    expect(isReservedAddressText(text)).toBe(false);
  });
});
