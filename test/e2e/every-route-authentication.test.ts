import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Route } from "../../src/http/route.ts";
import { api } from "../support/accounts.ts";
import { type EveryRoute, openEveryRoute, type Row, rows, send } from "../support/every-route.ts";
import type { TestReply } from "../support/http.ts";

let house: EveryRoute;
beforeAll(async () => {
  house = await openEveryRoute();
});
afterAll(() => house?.close());

const demands = ({ auth }: Route): boolean => auth !== "none" && auth !== "optional";
const named = (some: readonly Row[]): [string, Row][] => some.map((row) => [row.name, row]);
const outcome = (reply: TestReply): [number, string | undefined] => [reply.status, reply.code];

/** A token of ours with one character of its payload changed. */
function tampered(token: string): string {
  const [header = "", payload = "", signature = ""] = token.split(".");
  const claims = { ...JSON.parse(Buffer.from(payload, "base64url").toString()), email: "other@example.com" };
  return `${header}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.${signature}`;
}

/** Values of `Authorization`, and what the contract answers to them (spec 20 §1.6). */
const headers: readonly [string, () => string | undefined, string][] = [
  ["no header", () => undefined, "missing_token"],
  ["another scheme", () => "Basic dXNlcjpwYXNz", "missing_token"],
  ["a scheme and nothing else", () => "Bearer", "missing_token"],
  ["garbage", () => "Bearer garbage", "invalid_token"],
  ["an API key nobody made", () => `Bearer st_${"a".repeat(16)}_${"b".repeat(43)}`, "invalid_token"],
  ["a token with other claims", () => `Bearer ${tampered(house.owner.bearer)}`, "invalid_token"],
];

const withHeader = (value: string | undefined): { headers: Record<string, string> } => ({
  headers: value === undefined ? {} : { authorization: value },
});

function expectRefusal(reply: TestReply, code: string): void {
  expect(outcome(reply)).toEqual([401, code]);
  expect(reply.headers.get("www-authenticate")).toBe("Bearer");
  expect(reply.headers.get("content-type")).toBe("application/json");
  expect(reply.body).toEqual({
    error: { type: "authentication_error", code, message: expect.stringMatching(/\w\.$/) },
  });
}

describe("where a token is demanded, each way of having none is refused by its code", () => {
  const closed = rows.filter(({ route }) => demands(route));
  test.each(named(closed))("%s", async (_name, row) => {
    for (const [, value, code] of headers) expectRefusal(await send(house, row, withHeader(value())), code);
    // Before the body, whatever that is.
    if (row.route.body !== undefined)
      expectRefusal(await send(house, row, { body: "no JSON" }), "missing_token");
  });
});

describe("where a token is optional, nobody is anonymous by mistake", () => {
  test.each(named(rows.filter(({ route }) => route.auth === "optional")))("%s", async (_name, row) => {
    for (const [name, value, code] of headers) {
      const reply = await send(house, row, withHeader(value()));
      if (code === "missing_token") expect([name, reply.status]).not.toEqual([name, 401]);
      else expectRefusal(reply, code);
    }
  });
});

describe("where no token is read, it changes nothing", () => {
  test.each(named(rows.filter(({ route }) => route.auth === "none")))("%s", async (_name, row) => {
    const without = await send(house, row);
    expect(["missing_token", "invalid_token"]).not.toContain(without.code);
    for (const [, value] of headers.slice(1))
      expect(outcome(await send(house, row, withHeader(value())))).toEqual(outcome(without));
  });
});

describe("a valid token that is nobody's account", () => {
  let key: string;
  beforeAll(async () => {
    const made = await api(house.cluster, "/org/acme/api-keys", {
      body: { name: "robot", role: "owner" },
      bearer: house.owner.bearer,
    });
    key = String(made.body["secret"]);
  });

  /** Each route has one refusal for it; those with several name the one for this first (spec 20 §1.6). */
  function refusalOf({ auth, errors }: Route): string {
    if (typeof auth !== "string") return "forbidden";
    const codes = ["not_authenticated", "authentication_required", "unauthorized"] as const;
    return codes.find((code) => errors.includes(code)) ?? "none is documented";
  }
  /** Routes that are for such tokens too. */
  const open = ["GET /dev/whoami", "GET /.well-known/authkit/documents/{digest}"];

  test.each(named(rows.filter((row) => demands(row.route) && !open.includes(row.name))))(
    "%s",
    async (_name, row) => {
      const code = refusalOf(row.route);
      const reply = await send(house, row, { bearer: key });
      expect(outcome(reply)).toEqual([code === "forbidden" ? 403 : 401, code]);
    },
  );

  test("is told what it is, and reads no document", async () => {
    const who = await api(house.cluster, "/dev/whoami", { bearer: key });
    expect(who.body).toMatchObject({ is_api_key: true, user_id: "" });
    const document = rows.find(({ name }) => name === open[1]);
    if (document === undefined) throw new Error("no such row");
    const reply = await send(house, document, { bearer: key });
    expect([reply.status, reply.text, reply.headers.get("www-authenticate")]).toEqual([401, "", "Bearer"]);
  });
});
