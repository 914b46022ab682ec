import fc from "fast-check";
import { expect, test } from "vitest";
import { createServerCodec, encodeJson, JsonError, JsonReader } from "../../../src/contract/codec/index.ts";
import { JsonNumber } from "../../../src/contract/json.ts";
import { type MethodKey, methods } from "../../../src/contract/methods/index.ts";
import { isZeroTime, PreciseDate } from "../../../src/contract/time.ts";

const codecOf = createServerCodec("0.73");

function decode(key: MethodKey, body: string): unknown {
  return codecOf(methods[key]).decodeArguments(body);
}

function member(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (at, name) => (typeof at === "object" && at !== null ? Reflect.get(at, name) : undefined),
    value,
  );
}

test.each(["", "null", "{}", " \n{}\t"])("%j means no arguments", (body) => {
  expect(decode("createUser", body)).toEqual({ email: "", username: "" });
});

test.each([
  [" ", "white space only"],
  ["[]", "an array"],
  ['"x"', "a string"],
  ["1", "a number"],
  ["true", "a boolean"],
  ["{} x", "trailing data"],
  ["{}{}", "a second document"],
  ['{"email":"a"', "an unfinished object"],
  ['{"email":"a",}', "a trailing comma"],
  ['{"email":"a" "username":"b"}', "a missing comma"],
  ["{'email':1}", "single quotes"],
  ['{"email":1}', "a number for a string"],
  ['{"email":true}', "a boolean for a string"],
  ['{"email":{}}', "an object for a string"],
  ['{"email":"\u0001"}', "a raw control character"],
  ['{"email":"\\x"}', "an unknown escape"],
  ['{"email":"\\u12G4"}', "a bad hexadecimal escape"],
  ['{"email":"a\\u0000b"}', "NUL in a string"],
  ['{"other":01}', "a leading zero"],
  ['{"other":.5}', "a number without integer part"],
  ['{"other":nul}', "a broken literal"],
  ["\ufeff{}", "a byte order mark"],
])("%s is refused: %s", (body) => {
  expect(() => decode("createUser", body)).toThrow(JsonError);
});

test("methods without arguments never parse", () => {
  expect(decode("hasEmailSender", "garbage")).toEqual({});
});

test("keys: exact first, then case-insensitive; underscores count; unknown ones are skipped", () => {
  expect(decode("banUser", '{"USERID":"a","Userid":"b"}')).toMatchObject({ userId: "b" });
  expect(decode("banUser", '{"u\u017feRID":"a"}')).toMatchObject({ userId: "a" });
  expect(decode("resolveApiKey", '{"\u212aeyid":"k"}')).toMatchObject({ keyId: "k" });
  expect(decode("banUser", '{"user_id":"a","x":{"y":[1,{"z":null}]}}')).toMatchObject({ userId: "" });
  expect(member(decode("adminListUsers", '{"opts":{"pagesize":5,"page_size":9}}'), "opts", "pageSize")).toBe(
    5,
  );
  const manifest = decode(
    "applyBootstrapManifest",
    '{"manifest":{"users":[{"ROOT_ROLE":"owner","rootRole":"x"}]}}',
  );
  expect(member(manifest, "manifest", "users", "0", "rootRole")).toBe("owner");
});

test("duplicate keys apply in document order", () => {
  expect(decode("createUser", '{"email":"a","email":"b"}')).toMatchObject({ email: "b" });
  expect(decode("createUser", '{"email":"a","email":null}')).toMatchObject({ email: "a" });
  expect(decode("softDeleteUsers", '{"userIDs":["a","b"],"userIDs":["c"]}')).toEqual({ userIds: ["c"] });
  expect(decode("softDeleteUsers", '{"userIDs":["a","b"],"userIDs":null}')).toEqual({ userIds: [] });
  const merged = decode("adminListUsers", '{"opts":{"Page":2,"Role":"x"},"OPTS":{"Role":"y"},"opts":null}');
  expect(member(merged, "opts")).toMatchObject({ page: 2, role: "y" });
  expect(decode("patchUserMetadata", '{"patch":{"a":1,"b":{"c":1}},"patch":{"b":{"d":2}}}')).toMatchObject({
    patch: { a: 1, b: { d: 2 } },
  });
  expect(decode("patchUserMetadata", '{"patch":{"a":1},"patch":null}')).toMatchObject({ patch: {} });
  expect(decode("banUser", '{"reason":"x","reason":null}')).toMatchObject({ reason: null });
});

test.each([
  ["9007199254740991", Number.MAX_SAFE_INTEGER],
  ["-0", 0],
  ["9223372036854775807", Number.MAX_SAFE_INTEGER],
  ["-9223372036854775808", -Number.MAX_SAFE_INTEGER],
])("int64 %s", (literal, value) => {
  expect(decode("listUsersDeletedBefore", `{"limit":${literal}}`)).toMatchObject({ limit: value });
});

test.each(["1.0", "1e3", "9223372036854775808", "-9223372036854775809", '"1"'])(
  "int64 refuses %s",
  (literal) => {
    expect(() => decode("listUsersDeletedBefore", `{"limit":${literal}}`)).toThrow(JsonError);
  },
);

test("int32 is bounded", () => {
  expect(decode("resolveRemoteAppAttributeDef", '{"version":-2147483648}')).toMatchObject({
    version: -2147483648,
  });
  for (const literal of ["2147483648", "-2147483649", "9999999999999999999999"]) {
    expect(() => decode("resolveRemoteAppAttributeDef", `{"version":${literal}}`)).toThrow(JsonError);
  }
});

test("durations keep their size", () => {
  const year = 365 * 86_400e9;
  expect(decode("mintServiceJwt", `{"opts":{"Lifetime":${year}}}`)).toMatchObject({
    opts: { lifetime: year },
  });
});

test("times", () => {
  const cutoff = (text: string): unknown =>
    member(decode("listUsersDeletedBefore", `{"cutoff":${JSON.stringify(text)}}`), "cutoff");
  expect(cutoff("2026-01-02T03:04:05Z")).toEqual(new Date("2026-01-02T03:04:05Z"));
  expect(cutoff("2026-01-02T03:04:05.5+02:30")).toEqual(new Date("2026-01-02T00:34:05.500Z"));
  expect(cutoff("0001-01-01T00:00:00Z")).toSatisfy((value) => value instanceof Date && isZeroTime(value));
  expect(cutoff("2024-02-29T23:59:59-23:59")).toEqual(new Date("2024-03-01T23:58:59Z"));
  const precise = cutoff("2026-01-02T03:04:05.1234567891Z");
  expect(precise).toBeInstanceOf(PreciseDate);
  expect(precise).toMatchObject({ subMillisecond: 456_789 });
  for (const text of [
    "",
    "2026-01-02",
    "2026-01-02t03:04:05Z",
    "2026-01-02T03:04:05z",
    "2026-01-02 03:04:05Z",
    "2026-01-02T3:04:05Z",
    "2026-01-02T03:04:05,5Z",
    "2026-01-02T03:04:05.Z",
    "2026-01-02T03:04:05",
    "2026-01-02T24:00:00Z",
    "2026-01-02T03:04:60Z",
    "2026-02-29T00:00:00Z",
    "2026-13-01T00:00:00Z",
    "2026-01-02T03:04:05+24:00",
    "2026-01-02T03:04:05+0100",
  ]) {
    expect(() => cutoff(text), text).toThrow(JsonError);
  }
  expect(member(decode("listUsersDeletedBefore", "{}"), "cutoff")).toSatisfy(isZeroTime);
  expect(decode("banUser", '{"until":"0001-01-01T00:00:00Z"}')).toMatchObject({ until: expect.any(Date) });
  expect(decode("banUser", "{}")).toMatchObject({ until: null, reason: null, bannedBy: "" });
});

test("bytes: base64 with line breaks, arrays of integers, null and empty differ", () => {
  const params = (literal: string): unknown =>
    member(decode("upsertPasswordHash", `{"params":${literal}}`), "params");
  expect(params('"aGVs\\r\\nbG8="')).toEqual(new TextEncoder().encode("hello"));
  expect(params('""')).toEqual(new Uint8Array());
  expect(params("null")).toBeNull();
  expect(params("[0,255,null]")).toEqual(Uint8Array.of(0, 255, 0));
  for (const bad of ['"aGVsbG8"', '"aGVs bG8="', '"aGVs_G8="', "[256]", "[-1]", "[1.0]", '["1"]', "5"]) {
    expect(() => params(bad), bad).toThrow(JsonError);
  }
});

test("addresses", () => {
  const ip = (text: string): unknown =>
    member(decode("exchangeRefreshToken", JSON.stringify({ ip: text })), "ip");
  for (const good of [
    "192.0.2.1",
    "::",
    "::1",
    "2001:db8::8",
    "1:2:3:4:5:6:7:8",
    "::ffff:192.0.2.1",
    "1:2:3:4:5:6:7::",
  ]) {
    expect(ip(good)).toBe(good);
  }
  expect(ip("")).toBeNull();
  for (const bad of [
    "1.2.3",
    "01.2.3.4",
    "1.2.3.256",
    "fe80::1%eth0",
    ":::",
    "1::2::3",
    "1:2:3:4:5:6:7:8:9",
    "::1:2:3:4:5:6:7:8",
    "1.2.3.4::",
    "x",
  ]) {
    expect(() => ip(bad), bad).toThrow(JsonError);
  }
});

test("free JSON keeps large integers literally and cannot reach a prototype", () => {
  const args = decode(
    "patchUserMetadata",
    '{"patch":{"n":12345678901234567890,"f":1.5,"e":1e400,"__proto__":{"x":1}}}',
  );
  expect(member(args, "patch", "n")).toEqual(new JsonNumber("12345678901234567890"));
  expect(member(args, "patch", "f")).toBe(1.5);
  expect(member(args, "patch", "e")).toEqual(new JsonNumber("1e400"));
  expect(member(args, "patch", "x")).toBeUndefined();
  expect(JSON.stringify(member(args, "patch"))).toBe(
    '{"n":12345678901234567890,"f":1.5,"e":1e400,"__proto__":{"x":1}}',
  );
});

test("lone surrogates become U+FFFD, pairs stay", () => {
  expect(decode("createUser", '{"email":"\\ud83d\\ude00","username":"\\ud83dx"}')).toEqual({
    email: "\u{1f600}",
    username: "\ufffdx",
  });
});

test("10 000 levels are read without touching the stack, one more is refused", () => {
  const nested = (levels: number): string => `${"[".repeat(levels)}${"]".repeat(levels)}`;
  const args = decode("patchUserMetadata", `{"patch":{"a":${nested(9_998)}}}`);
  expect(encodeJson(member(args, "patch", "a"))).toBe(nested(9_998));
  expect(() => decode("patchUserMetadata", `{"patch":{"a":${nested(9_999)}}}`)).toThrow(JsonError);
  expect(() => decode("createUser", `{"unknown":${'{"a":'.repeat(20_000)}`)).toThrow(JsonError);
});

test("reads what JSON.parse reads, and refuses what it refuses", () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      const reader = new JsonReader(text);
      const value = reader.json();
      reader.end();
      expect(JSON.stringify(value)).toBe(JSON.stringify(JSON.parse(text)));
    }),
  );
  fc.assert(
    fc.property(
      fc.json(),
      fc.nat(),
      fc.constantFrom(...'{}[],:"\\ \u0000x0-.eE'),
      (text, at, replacement) => {
        const broken = text.slice(0, at % text.length) + replacement + text.slice((at % text.length) + 1);
        const accepts = (read: () => unknown): boolean => {
          try {
            read();
            return true;
          } catch {
            return false;
          }
        };
        const parsed = accepts(() => JSON.parse(broken));
        const read = accepts(() => {
          const reader = new JsonReader(broken);
          reader.json();
          reader.end();
        });
        expect(read).toBe(parsed);
      },
    ),
    { numRuns: 500 },
  );
});
