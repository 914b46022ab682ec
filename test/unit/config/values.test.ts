import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { formatGoDuration, parseGoDuration } from "../../../src/config/duration.ts";
import { decodeKeyBytes } from "../../../src/config/key-bytes.ts";
import { editDistance, nearestName } from "../../../src/config/nearest.ts";
import {
  apiPrefix,
  baseAddress,
  cidr,
  formatListenAddress,
  frontendPath,
  isLoopback,
  listenAddress,
  origin,
  parseHostPort,
} from "../../../src/config/network.ts";
import {
  BadValue,
  boolean,
  integer,
  list,
  oneOf,
  text,
  textMap,
  timestamp,
  type ValueType,
} from "../../../src/config/values.ts";

function refused<T>(type: ValueType<T>, values: readonly unknown[]): unknown[] {
  return values.filter((value) => {
    try {
      type.read(value);
      return false;
    } catch (error) {
      return error instanceof BadValue;
    }
  });
}

describe("durations", () => {
  test.each([
    ["300ms", 300],
    ["15m", 900_000],
    ["720h", 2_592_000_000],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    ["-1s", -1_000],
    ["+2s", 2_000],
    ["0", 0],
    ["0s", 0],
    [".5s", 500],
    ["1us", 0.001],
    ["1µs", 0.001],
    ["1m1s1ms", 61_001],
  ])("%s", (written, milliseconds) => {
    expect(parseGoDuration(written)).toBe(milliseconds);
  });

  test.each(["", "15", "1d", "15 m", "m", "1h30", "--1s", "1e3s", "1,5s", "99999999999h"])(
    "refuses %j",
    (written) => {
      expect(parseGoDuration(written)).toBeUndefined();
    },
  );

  test("what is formatted is read back", () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e12, max: 1e12 }), (milliseconds) => {
        expect(parseGoDuration(formatGoDuration(milliseconds))).toBe(milliseconds);
      }),
    );
  });
});

describe("scalars and lists", () => {
  test("booleans are Go's and nothing else", () => {
    expect(["1", "t", "T", "TRUE", "true", "True"].map((value) => boolean.read(value))).toEqual(
      Array(6).fill(true),
    );
    expect(["0", "f", "F", "FALSE", "false", "False"].map((value) => boolean.read(value))).toEqual(
      Array(6).fill(false),
    );
    expect(refused(boolean, ["yes", "on", "tRUE", "2", ""])).toHaveLength(5);
  });

  test("integers are decimal with an optional sign, inside their bounds", () => {
    expect(["7", "+7", "-7", "007"].map((value) => integer().read(value))).toEqual([7, 7, -7, 7]);
    const bounded = integer({ min: 1, max: 10 });
    expect(refused(bounded, ["0", "11", "1.0", "0x5", "", "1e1", "99999999999"])).toHaveLength(7);
  });

  test("list elements are trimmed, empty ones dropped", () => {
    expect(list(text).read(" a, ,b ,")).toEqual(["a", "b"]);
    expect(list(text).read(["a,b", " c "])).toEqual(["a,b", "c"]);
    expect(() => list(text, { nonEmpty: true }).read(" , ")).toThrow("has no element");
    expect(() => list(oneOf("x", "y")).read("x,z")).toThrow('has the element "z"');
  });

  test("choices ignore case", () => {
    expect(oneOf("required", "none").read("Required")).toBe("required");
    expect(oneOf("RS256", "EdDSA").read("eddsa")).toBe("EdDSA");
  });

  test("JSON objects hold strings only", () => {
    expect(textMap.read('{"a":"b"}')).toEqual({ a: "b" });
    expect(refused(textMap, ["[]", "{", '{"a":1}', "null", '"x"'])).toHaveLength(5);
  });

  test("times", () => {
    expect(timestamp.read("2025-01-01").toISOString()).toBe("2025-01-01T00:00:00.000Z");
    expect(timestamp.read("2025-01-01T12:00:00+02:00").toISOString()).toBe("2025-01-01T10:00:00.000Z");
    expect(refused(timestamp, ["yesterday", "2025-13-01", "2025", "1735689600"])).toHaveLength(4);
  });
});

describe("network", () => {
  test("CIDR ranges need a prefix length", () => {
    expect(
      ["10.0.0.0/8", "127.0.0.1/32", "fd00::/8", "::1/128"].map((value) => cidr.read(value)),
    ).toHaveLength(4);
    expect(
      refused(cidr, ["10.0.0.1", "::1", "10.0.0.0/33", "fd00::/129", "10.0.0/8", "x/8", "10.0.0.0/"]),
    ).toHaveLength(7);
  });

  test.each([
    [":8080", undefined, 8080],
    ["127.0.0.1:0", "127.0.0.1", 0],
    ["[::1]:8080", "::1", 8080],
    ["[::]:80", "::", 80],
    ["localhost:1", "localhost", 1],
  ])("listen address %s", (written, host, port) => {
    const address = listenAddress.read(written);
    expect(address).toEqual({ host, port });
    expect(formatListenAddress(address)).toBe(written);
  });

  test("listen addresses without a port or with a wrong one are refused", () => {
    const wrong = [
      "8080",
      "localhost",
      "::1:8080",
      "[::1]",
      "[localhost]:80",
      ":http",
      ":65536",
      "a b:80",
      "",
    ];
    expect(refused(listenAddress, wrong)).toEqual(wrong);
  });

  test("loopback", () => {
    expect(["127.0.0.1", "127.8.8.8", "::1", "[::1]", "localhost", "a.localhost"].every(isLoopback)).toBe(
      true,
    );
    expect(
      [undefined, "0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "128.0.0.1"].some(isLoopback),
    ).toBe(false);
  });

  test("host and port", () => {
    expect(parseHostPort("redis", 6379)).toEqual({ host: "redis", port: 6379 });
    expect(parseHostPort("[::1]:7000", 6379)).toEqual({ host: "::1", port: 7000 });
    for (const wrong of ["", ":6379", "a:0", "a:65536", "a:b", "::1"])
      expect(() => parseHostPort(wrong, 1)).toThrow(BadValue);
  });

  test("base addresses lose every trailing slash and carry nothing but a path", () => {
    expect(baseAddress.read("https://auth.example.com//")).toBe("https://auth.example.com");
    expect(baseAddress.read("https://example.com/auth/")).toBe("https://example.com/auth");
    const wrong = [
      "auth.example.com",
      "https://",
      "ftp://x",
      "/auth",
      "https://x?y",
      "https://x#y",
      "https://u:p@x",
      "https:///x",
    ];
    expect(refused(baseAddress, wrong)).toEqual(wrong);
  });

  test("origins are normalised and have no path", () => {
    expect(origin.read("HTTPS://App.Example.com:443")).toBe("https://app.example.com");
    expect(refused(origin, ["https://x/y", "x", "https://x?q", "null", "*"])).toHaveLength(5);
  });

  test("front-end paths stay on the front end", () => {
    expect(["/", "/verify", "/a/b?c=d"].map((value) => frontendPath.read(value))).toHaveLength(3);
    const wrong = [
      "verify",
      "//evil.example",
      "/\\evil.example",
      "https://x/y",
      "/a#b",
      "/a b",
      "/a\tb",
      "\\\\x",
    ];
    expect(refused(frontendPath, wrong)).toEqual(wrong);
  });

  test("API prefixes", () => {
    expect(
      ["/", "/auth", "/auth/", "/a/b//", "/v2", "/v1/auth"].map((value) => apiPrefix.read(value)),
    ).toEqual([...["", "/auth", "/auth", "/a/b", "/v2", "/v1/auth"]]);
    const wrong = [
      "auth",
      "/v1",
      "/v1/",
      "/v1/call",
      "/.well-known",
      "/healthz",
      "/readyz/x",
      "/metrics",
      "/a//b",
      "/a/../b",
      "/{x}",
      "/a b",
    ];
    expect(refused(apiPrefix, wrong)).toEqual(wrong);
  });
});

describe("key bytes", () => {
  const key = Buffer.from(Array.from({ length: 32 }, (_, index) => 200 + index));

  test("every encoding of the same bytes is understood", () => {
    for (const written of [
      key.toString("hex"),
      key.toString("base64"),
      key.toString("base64").replace(/=/g, ""),
      key.toString("base64url"),
    ]) {
      expect(decodeKeyBytes(written, [32], { raw: true })).toEqual(key);
    }
  });

  test("the first reading with a wanted size wins; raw text only where allowed", () => {
    expect(decodeKeyBytes("0".repeat(32), [16, 24, 32], { raw: true })).toEqual(Buffer.alloc(16));
    expect(decodeKeyBytes("correct horse ba", [16], { raw: true })).toEqual(Buffer.from("correct horse ba"));
    expect(() => decodeKeyBytes("correct horse battery staple 123", [32], { raw: false })).toThrow(BadValue);
    expect(() => decodeKeyBytes("short", [16, 24, 32], { raw: true })).toThrow(BadValue);
  });
});

describe("nearest names", () => {
  test("the distance counts edits and swapped neighbours", () => {
    expect(editDistance("issuer", "issuer")).toBe(0);
    expect(editDistance("isuser", "issuer")).toBe(1);
    expect(editDistance("iser", "issuer")).toBe(2);
    expect(editDistance("", "abc")).toBe(3);
  });

  test("only what is close enough is suggested", () => {
    expect(nearestName("AUTHKIT_ISUER", ["AUTHKIT_ISSUER", "AUTHKIT_ENV"])).toBe("AUTHKIT_ISSUER");
    expect(nearestName("provders", ["providers", "personas"])).toBe("providers");
    expect(nearestName("entirely_different", ["providers", "personas"])).toBeUndefined();
  });
});
