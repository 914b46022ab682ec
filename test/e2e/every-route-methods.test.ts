import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type EveryRoute, filled, openEveryRoute, type Row, rows, send } from "../support/every-route.ts";
import { request } from "../support/http.ts";

let house: EveryRoute;
beforeAll(async () => {
  house = await openEveryRoute();
});
afterAll(() => house?.close());

const verbs = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "SUBSCRIBE"] as const;

/** The rows a request to the row's path can mean: some templates overlap. */
function meant(path: string): Row[] {
  return rows.filter(({ template }) =>
    new RegExp(`^${template.replaceAll(".", "\\.").replaceAll(/\{\w+\}/g, "[^/]+")}$`).test(path),
  );
}

/** What the table has for a path: HEAD comes with GET, unless whoever merely looks would run the flow (spec 22 §7). */
function methodsOf(path: string): string[] {
  const found = meant(path).flatMap(({ route }) =>
    route.method === "GET" && !route.path.startsWith("/oidc/") ? ["GET", "HEAD"] : [route.method],
  );
  return [...new Set(found)].sort();
}

test("the configuration of these tests mounts every row of the table", async () => {
  const document = await request(`${house.cluster.url}/openapi.json`);
  const paths = Object(document.body["paths"]);
  const missing = rows.filter(
    ({ route, template }) => paths[template]?.[route.method.toLowerCase()] === undefined,
  );
  expect(missing.map(({ name }) => name)).toEqual([]);
});

const byPath = new Map(rows.map((row) => [row.template, row]));

describe("a verb the table does not have", () => {
  const exempt = rows.filter(({ route }) => route.anyMethod === true);
  test("is the handler's own business on these paths only", () => {
    // Whoever has no token learns nothing there, not even which methods there are.
    expect(exempt.map(({ name }) => name)).toEqual(["GET /.well-known/authkit/documents/{digest}"]);
  });

  test.each([...byPath.values()].filter((row) => !exempt.includes(row)).map((row) => [row.template, row]))(
    "%s",
    async (template, row) => {
      const path = filled(template, house.known);
      const allowed = methodsOf(path);
      for (const method of verbs.filter((verb) => !allowed.includes(verb))) {
        const reply = await send(house, row, { path, method, body: undefined });
        expect([method, reply.status, reply.headers.get("allow")]).toEqual([method, 405, allowed.join(", ")]);
        if (method === "HEAD") expect(reply.text).toBe("");
        else
          expect([reply.code, reply.body["error"]]).toEqual([
            "method_not_allowed",
            expect.objectContaining({ type: "invalid_request_error" }),
          ]);
        for (const header of ["access-control-allow-origin", "access-control-allow-methods"])
          expect(reply.headers.get(header)).toBeNull();
      }
    },
  );
});

test("HEAD answers as GET does, without the body", async () => {
  for (const row of rows.filter(({ template }) => methodsOf(filled(template)).includes("HEAD"))) {
    if (row.route.method !== "GET") continue;
    const { bearer } = house.owner;
    const path = filled(row.template, house.known);
    const head = await send(house, row, { path, bearer, method: "HEAD" });
    const get = await send(house, row, { path, bearer });
    expect([row.name, head.status, head.text]).toEqual([row.name, get.status, ""]);
    expect([row.name, head.headers.get("content-type")]).toEqual([row.name, get.headers.get("content-type")]);
    expect([row.name, head.headers.get("etag")]).toEqual([row.name, get.headers.get("etag")]);
  }
});

test("a path nobody has is not found under any verb, nor one with a slash too many", async () => {
  for (const path of ["/api/v1/nothing", "/api/v1/me/", "/api/v1//me", "/nothing"])
    for (const method of verbs.filter((verb) => verb !== "HEAD")) {
      const reply = await request(`${house.cluster.url}${path}`, { method });
      expect([path, method, reply.status, reply.code]).toEqual([path, method, 404, "not_found"]);
    }
});
