import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { limitBuckets } from "../../src/config/sections/limits.ts";
import { actionOf, bucketOf } from "../../src/core/limits/index.ts";
import { newAddress, registered } from "../support/accounts.ts";
import {
  bodyOf,
  type EveryRoute,
  filled,
  openEveryRoute,
  type Row,
  rows,
  send,
} from "../support/every-route.ts";
import type { TestReply } from "../support/http.ts";

let house: EveryRoute;
beforeAll(async () => {
  const buckets = limitBuckets.map((name) => `${name}: { limit: 1, window: 1h }`).join(", ");
  house = await openEveryRoute(`{ enabled: true, buckets: { ${buckets} } }`, {
    // Without verification there is nothing to send again, and nothing to limit.
    AUTHKIT_REGISTRATION_VERIFICATION: "optional",
  });
});
afterAll(() => house?.close());

const named = (some: readonly Row[]): [string, Row][] => some.map((row) => [row.name, row]);

/** Limited only when the address is nobody's yet, which a row cannot say. */
const sometimes = new Map([["POST /{persona}/{instance_slug}/members", "auth_invite_create"]]);

/** The bucket a row is charged to by client address. */
function bucketFor({ route, name }: Row): string | undefined {
  return typeof route.limit === "string" ? route.limit : (route.limit?.deferred ?? sometimes.get(name));
}

const limited = rows.filter((row) => bucketFor(row) !== undefined);
const unlimited = rows.filter((row) => bucketFor(row) === undefined);

/** Somebody who may use the row, other than its owner where anybody may: what the first request ends must not stop the second. */
async function firstCaller({ route }: Row): Promise<{ bearer?: string }> {
  if (route.auth === "none" || route.auth === "optional") return {};
  const anybody = typeof route.auth === "string" && !route.path.includes("{instance_slug}");
  return { bearer: anybody ? (await registered(house.cluster)).accessToken : house.owner.bearer };
}

function secondCaller({ route }: Row): { bearer?: string } {
  return route.auth === "none" || route.auth === "optional" ? {} : { bearer: house.owner.bearer };
}

/** Everything a client needs to wait the right time (spec 20 §1.5). */
function expectLimited(reply: TestReply, bucket: string): void {
  expect([reply.status, reply.code], reply.text).toEqual([429, "rate_limited"]);
  const wait = Number(reply.headers.get("retry-after"));
  expect(wait).toBeGreaterThan(3_590);
  expect(wait).toBeLessThanOrEqual(3_600);
  expect(reply.headers.get("ratelimit-reset")).toBe(String(wait));
  expect(reply.headers.get("ratelimit-limit")).toBe("1");
  expect(reply.headers.get("ratelimit-remaining")).toBe("0");
  expect(reply.body).toEqual({
    error: {
      ...{ type: "rate_limit_error", code: "rate_limited", message: expect.any(String) },
      metadata: {
        ...{ action: actionOf(bucket), allowed: false, reason: "limit_exceeded", limit: 1, remaining: 0 },
        ...{ retry_after_seconds: wait, window_seconds: 3_600 },
        next_allowed_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      },
    },
  });
}

test("a row says it may be limited exactly when it names a bucket, and every bucket can be set", () => {
  const says = rows.filter(({ route }) => route.errors.includes("rate_limited"));
  expect(says.map(({ name }) => name)).toEqual(limited.map(({ name }) => name));
  const known: readonly string[] = limitBuckets;
  expect(limited.map((row) => bucketFor(row) ?? "").filter((bucket) => !known.includes(bucket))).toEqual([]);
});

describe("the second request from an address is one too many", () => {
  test.each(named(limited))("%s", async (_name, row) => {
    const ip = newAddress();
    const first = await send(house, row, { ip, ...(await firstCaller(row)) });
    expect(first.status, first.text).not.toBe(429);
    const second = await send(house, row, { ip, ...secondCaller(row) });
    expectLimited(second, bucketFor(row) ?? "");
  });
});

/** Rows that charge their bucket by address alone although others charge it by identifier too. */
const anonymous = new Map([
  ["POST /passkeys/login/finish", "names nobody: the assertion says who it is"],
  ["POST /{persona}/{instance_slug}/invites/links", "a link is for nobody in particular"],
  ["DELETE /{persona}/{instance_slug}", "the first request leaves no group for the second"],
]);
/** Rows that charge another bucket by identifier. */
const sending = new Map([["POST /2fa/challenge", "auth_2fa_send"]]);
const identified = limited.filter(
  (row) => bucketOf(bucketFor(row) ?? "").id !== undefined && !anonymous.has(row.name),
);

describe("the second request about somebody is one too many, wherever it comes from", () => {
  test.each(named(identified))("%s", async (_name, row) => {
    const request = { ...(await firstCaller(row)), body: bodyOf(row), path: filled(row.template) };
    await send(house, row, request);
    expectLimited(await send(house, row, request), sending.get(row.name) ?? bucketFor(row) ?? "");
  });
});

describe("a row without a limit has none", () => {
  test.each(named(unlimited))("%s", async (_name, row) => {
    const ip = newAddress();
    for (let count = 0; count < 3; count++)
      expect((await send(house, row, { ip, bearer: house.owner.bearer })).status).not.toBe(429);
  });
});
