import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { api, newPerson } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call, request } from "../support/http.ts";
import { startTraceCollector, type TraceCollector } from "../support/trace-collector.ts";

let collector: TraceCollector;
let cluster: TestCluster;

beforeAll(async () => {
  collector = await startTraceCollector();
  cluster = await startCluster({
    env: {
      AUTHKIT_TRACING: "true",
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
      OTEL_BSP_SCHEDULE_DELAY: "50",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=here",
    },
  });
});
afterAll(async () => {
  await cluster?.stop();
  await collector?.close();
});

/** A trace that begins at the client. */
function clientTrace() {
  const traceId = randomBytes(16).toString("hex");
  const spanId = randomBytes(8).toString("hex");
  return { traceId, spanId, headers: { traceparent: `00-${traceId}-${spanId}-01` } };
}

test("a request continues the client's trace down to statements and hashes, and names itself by its route", async () => {
  const { traceId, spanId, headers } = clientTrace();
  const { email, password } = newPerson();
  await api(cluster, "/register", { body: { identifier: email, username: email.split("@")[0], password } });
  const login = await api(cluster, "/password/login", { body: { email, password }, headers });
  expect(login.status, login.text).toBe(200);

  const span = await collector.find("login", (one) => one.traceId === traceId && one.kind === "server");
  expect(span).toMatchObject({ name: "POST /api/v1/password/login", parentSpanId: spanId, failed: false });
  expect(span.attributes).toMatchObject({
    "http.request.method": "POST",
    "http.route": "/api/v1/password/login",
    "http.response.status_code": "200",
    "authkit.request_id": login.headers.get("x-request-id"),
  });
  expect(span.resource).toMatchObject({
    "service.name": "authkit-server",
    "deployment.environment.name": "here",
  });
  expect(span.resource["service.instance.id"]).toMatch(/\/http-[01]\/\d+$/);

  const inside = collector.spans.filter((one) => one.parentSpanId === span.spanId);
  expect(inside.map(({ name }) => name)).toContain("password verify");
  const statements = inside.filter(({ attributes }) => attributes["db.system.name"] === "postgresql");
  expect(statements.length).toBeGreaterThan(1);
  for (const { name, attributes } of statements) expect(attributes["db.query.summary"]).toBe(name);
});

test("a management call is one trace over both processes", async () => {
  const { traceId, headers } = clientTrace();
  const reply = await request(`${cluster.url}/v1/call/AdminCountUsers`, {
    method: "POST",
    body: { opts: {} },
    bearer: cluster.managementToken,
    headers,
  });
  expect(reply.status, reply.text).toBe(200);
  const at = (name: string) => (one: { traceId: string; name: string }) =>
    one.traceId === traceId && one.name === name;
  const edge = await collector.find("the edge", at("POST /v1/call/{Method}"));
  const method = await collector.find("the method", at("AdminCountUsers"));
  const statement = await collector.find(
    "its statement",
    (one) => one.traceId === traceId && one.parentSpanId === method.spanId,
  );
  expect(edge.resource["service.instance.id"]).toContain("/http-");
  expect(method.resource["service.instance.id"]).toContain("/management-");
  expect(method.parentSpanId).toBe(edge.spanId);
  expect(method.attributes).toMatchObject({
    "rpc.method": "AdminCountUsers",
    "http.response.status_code": "200",
  });
  expect(statement.kind).toBe("client");
});

test("log lines carry the ids of their trace", async () => {
  const { traceId, headers } = clientTrace();
  const reply = await api(cluster, "/me", { headers });
  expect(reply.status).toBe(401);
  const line = cluster
    .output()
    .split("\n")
    .find((one) => one.includes(reply.headers.get("x-request-id") ?? "?"));
  expect(JSON.parse(line ?? "{}")).toMatchObject({ trace_id: traceId, route: "/api/v1/me", status: 401 });
});

test("what is no traceparent starts a trace of its own", async () => {
  for (const traceparent of [
    "",
    "00-0-0-01",
    `00-${"0".repeat(32)}-${"0".repeat(16)}-01`,
    "x".repeat(5000),
  ]) {
    const reply = await request(`${cluster.url}/healthz`, { headers: { traceparent } });
    expect(reply.status).toBe(200);
  }
  const span = await collector.find("health", ({ name }) => name === "GET /healthz");
  expect(span.parentSpanId ?? "").toBe("");
});

test("spans hold no path, token, address or password", async () => {
  const secret = `secret-${randomBytes(8).toString("hex")}`;
  await request(`${cluster.url}/${secret}?token=${secret}`, { headers: { "user-agent": secret } });
  await request(`${cluster.url}/v1/call/${secret}`, { method: "POST", bearer: secret });
  await api(cluster, "/password/login", { body: { email: `${secret}@example.com`, password: secret } });
  await call(cluster, "GetUserByEmail", { email: `${secret}@example.com` });
  await collector.find("the last call", ({ name }) => name === "GetUserByEmail");
  await collector.find("the unknown path", ({ attributes }) => attributes["http.route"] === "unmatched");
  expect(collector.text()).not.toContain(secret);
  expect(collector.text()).not.toContain(cluster.managementToken);
  expect(collector.text()).not.toContain("@example.com");
});
