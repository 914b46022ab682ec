import fc from "fast-check";
import { expect, test } from "vitest";
import {
  createClientCodec,
  createServerCodec,
  decodeErrorCode,
  encodeErrorCode,
  encodeJson,
  encodeString,
} from "../../../src/contract/codec/index.ts";
import { JsonNumber } from "../../../src/contract/json.ts";
import { methodRows, methods } from "../../../src/contract/methods/index.ts";
import { PreciseDate, zeroTime } from "../../../src/contract/time.ts";

const earlier = createServerCodec("0.73");
const later = createServerCodec("0.97");

const user = {
  id: "019f0000-0000-7000-8000-0000000000aa",
  email: null,
  phoneNumber: null,
  username: "a<b>&\u2028\u2029",
  discordUsername: null,
  emailVerified: false,
  phoneVerified: true,
  bannedAt: null,
  bannedUntil: null,
  banReason: null,
  bannedBy: null,
  deletedAt: null,
  biography: null,
  createdAt: zeroTime(),
  updatedAt: new PreciseDate(Date.UTC(2026, 0, 2, 3, 4, 5, 678), 901_000),
  lastLogin: new Date(Date.UTC(2026, 0, 2, 3, 4, 5)),
};

const userText =
  '{"ID":"019f0000-0000-7000-8000-0000000000aa","Email":null,"PhoneNumber":null,' +
  '"Username":"a\\u003cb\\u003e\\u0026\\u2028\\u2029","DiscordUsername":null,"EmailVerified":false,"PhoneVerified":true,' +
  '"BannedAt":null,"BannedUntil":null,"BanReason":null,"BannedBy":null,"DeletedAt":null,"Biography":null,' +
  '"CreatedAt":"0001-01-01T00:00:00Z","UpdatedAt":"2026-01-02T03:04:05.678901Z","LastLogin":"2026-01-02T03:04:05Z"';

test("members in declaration order, of the server's generation only", () => {
  expect(earlier(methods.createUser).encodeResult({ ...user, avatarUrl: "x" })).toBe(
    `{"result":${userText}}}`,
  );
  expect(later(methods.createUser).encodeResult({ ...user, avatarUrl: "x" })).toBe(
    `{"result":${userText},"PreferredLanguage":null,"AvatarURL":"x"}}`,
  );
});

test("void, several values, and the shapes of both generations", () => {
  expect(earlier(methods.banUser).encodeResult(undefined)).toBe('{"result":null}');
  const tokens = { accessToken: "a", expiresAt: new Date(0), refreshToken: "r" };
  expect(earlier(methods.exchangeRefreshToken).encodeResult(tokens)).toBe(
    '{"result":{"r0":"a","r1":"1970-01-01T00:00:00Z","r2":"r"}}',
  );
  const ref = { id: "1", username: "u", email: "e" };
  expect(earlier(methods.usersByIds).encodeResult([ref])).toBe(
    '{"result":[{"ID":"1","Username":"u","Email":"e"}]}',
  );
  expect(later(methods.usersByIds).encodeResult({ b: ref, a: ref })).toBe(
    '{"result":{"a":{"ID":"1","Username":"u","Email":"e"},"b":{"ID":"1","Username":"u","Email":"e"}}}',
  );
  expect(earlier(methods.resolveRemoteApplicationAuthority).encodeResult([])).toBe('{"result":[]}');
});

test("lists without elements: null or [] as declared; empty members left out where declared", () => {
  expect(earlier(methods.listUserSessions).encodeResult([])).toBe('{"result":null}');
  expect(earlier(methods.listGroupInviteLinks).encodeResult([])).toBe('{"result":[]}');
  const result = earlier(methods.softDeleteUsers).encodeResult([
    { id: "1" },
    { id: "2", error: "internal_error" },
  ]);
  expect(result).toBe('{"result":[{"id":"1"},{"id":"2","error":"internal_error"}]}');
});

test("a result of the wrong type is a bug, not an answer", () => {
  expect(() => earlier(methods.adminCountUsers).encodeResult("5")).toThrow(TypeError);
  expect(() => earlier(methods.adminCountUsers).encodeResult(1.5)).toThrow(TypeError);
  expect(() =>
    earlier(methods.createUser).encodeResult({ ...user, createdAt: new Date(Number.NaN) }),
  ).toThrow(RangeError);
});

test("free JSON: sorted by code point, literals kept, what JSON cannot say refused", () => {
  expect(
    encodeJson({
      b: [1, { d: null, c: true }],
      a: new JsonNumber("12345678901234567890"),
      "\u{10000}": 1,
      "\uffff": 2,
    }),
  ).toBe('{"a":12345678901234567890,"b":[1,{"c":true,"d":null}],"\uffff":2,"\u{10000}":1}');
  expect(() => encodeJson({ a: Number.NaN })).toThrow(TypeError);
  expect(() => encodeJson([new Date()])).toThrow(TypeError);
  expect(() => encodeJson([1n])).toThrow(TypeError);
});

test("strings decode to themselves and never carry characters unsafe in HTML", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const encoded = encodeString(text);
      expect(JSON.parse(encoded)).toBe(text.toWellFormed());
      expect(encoded).not.toMatch(/[<>&\u2028\u2029]/);
    }),
  );
});

test("error bodies", () => {
  expect(encodeErrorCode("unauthorized")).toBe('{"error":{"code":"unauthorized"}}');
  expect(decodeErrorCode('{"error":{"code":"x","more":1}}\n')).toBe("x");
  expect(decodeErrorCode("404 page not found\n")).toBe("");
  expect(decodeErrorCode("{}")).toBe("");
});

test("client: members left out are not sent; null and [] differ; large durations survive", () => {
  const codec = createClientCodec("0.73");
  expect(codec(methods.banUser).encodeArguments({ userId: "u", bannedBy: "" })).toBe(
    '{"userID":"u","bannedBy":""}',
  );
  const mint = codec(methods.mintRemoteApplicationAccessToken);
  expect(mint.encodeArguments({ p: { permissions: [] } })).toBe('{"p":{"Permissions":[]}}');
  expect(mint.encodeArguments({ p: { permissions: null } })).toBe('{"p":{"Permissions":null}}');
  expect(mint.encodeArguments({ p: { ttl: 2 ** 63 } })).toBe('{"p":{"TTL":9223372036854775807}}');
});

test("client: null and absent results are the zero value", () => {
  const codec = createClientCodec("0.73");
  expect(codec(methods.adminCountUsers).decodeResult("{}")).toBe(0);
  expect(codec(methods.getUserByEmail).decodeResult('{"result":null}\n')).toMatchObject({
    id: "",
    email: null,
  });
  expect(codec(methods.listUserSessions).decodeResult('{"result":null}')).toBeNull();
  expect(codec(methods.banUser).decodeResult('{"result":null}')).toBeUndefined();
  expect(
    codec(methods.issueAccessToken).decodeResult('{"result":{"r0":"t","r1":"1970-01-01T00:00:00Z"}}'),
  ).toEqual({
    token: "t",
    expiresAt: new Date(0),
  });
});

test.each(methodRows.map(([key, row]) => [key, row] as const))(
  "%s: the zero result survives the wire",
  (_, row) => {
    const server = earlier(row);
    const client = createClientCodec("0.73")(row);
    expect(client.decodeResult(server.encodeResult(client.zeroResult()))).toEqual(client.zeroResult());
    const args = server.decodeArguments("");
    expect(server.decodeArguments(client.encodeArguments(args))).toEqual(args);
  },
);
