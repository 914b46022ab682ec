import { afterAll, beforeAll, expect, test } from "vitest";
import { api, behindProxy, newAddress, newPerson } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { declaredMetrics } from "../support/declared-metrics.ts";
import { call } from "../support/http.ts";
import { until } from "../support/outcome.ts";
import { freePort } from "../support/ports.ts";

let cluster: TestCluster;
let metrics: string;

beforeAll(async () => {
  const port = await freePort();
  metrics = `http://127.0.0.1:${port}/metrics`;
  cluster = await startCluster({ env: { AUTHKIT_METRICS_LISTEN_ADDR: `127.0.0.1:${port}`, ...behindProxy } });
  // The job worker starts last, when the others serve already.
  await until("the job worker", 20, async () => (await scrape()).types.has("authkit_jobs_waiting"));
});
afterAll(() => cluster?.stop());

interface Scrape {
  /** Kind by name. */
  readonly types: ReadonlyMap<string, string>;
  /** Value by series, as written: `name{label="value"}`. */
  readonly series: ReadonlyMap<string, number>;
  /** Sum of the series of a name that have all these labels. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number;
}

async function scrape(): Promise<Scrape> {
  const response = await fetch(metrics);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split("\n");
  const types = new Map(
    lines
      .filter((line) => line.startsWith("# TYPE "))
      .map((line): [string, string] => {
        const [, , name = "", kind = ""] = line.split(" ");
        return [name, kind];
      }),
  );
  const series = new Map(
    lines
      .filter((line) => line !== "" && !line.startsWith("#"))
      .map((line): [string, number] => {
        const end = line.lastIndexOf(" ");
        return [line.slice(0, end), Number(line.slice(end + 1))];
      }),
  );
  return {
    types,
    series,
    sum(name, labels = {}) {
      const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
      return [...series]
        .filter(([key]) => key === name || key.startsWith(`${name}{`))
        .filter(([key]) => wanted.every((label) => key.includes(label)))
        .reduce((total, [, value]) => total + value, 0);
    },
  };
}

test("every metric that the program declares is served, of its kind and for all processes together", async () => {
  const { types, series } = await scrape();
  const ours = [...types].filter(([name]) => name.startsWith("authkit_"));
  expect(new Map(ours)).toEqual(new Map(declaredMetrics().map(({ name, kind }) => [name, kind])));
  const workers = [...series.keys()]
    .map((key) => /^process_resident_memory_bytes\{worker="([^"]+)"\}/.exec(key)?.[1])
    .filter((name) => name !== undefined);
  expect(workers.sort()).toEqual(["hashing-0", "http-0", "http-1", "jobs-0", "management-0", "primary"]);
});

test("what happens on any worker is counted, once", async () => {
  const before = await scrape();
  const person = newPerson();
  const registered = await api(cluster, "/register", {
    body: { identifier: person.email, username: person.username, password: person.password },
  });
  expect(registered.status, registered.text).toBe(202);
  const headers = { connection: "close" };
  const login = (password: string) =>
    api(cluster, "/password/login", { body: { email: person.email, password }, headers });
  // One after the other: the oldest sessions give way to the newest, which are the ones refreshed below.
  const logins: Awaited<ReturnType<typeof login>>[] = [];
  for (let i = 0; i < 5; i++) logins.push(await login(person.password));
  expect(logins.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 200));
  for (let i = 0; i < 3; i++) expect((await login("wrong password")).code).toBe("invalid_credentials");
  for (const { body } of logins.slice(3)) {
    const refreshed = await api(cluster, "/token", {
      body: { grant_type: "refresh_token", refresh_token: body["refresh_token"] },
      headers,
    });
    expect(refreshed.status, refreshed.text).toBe(200);
  }
  expect((await call(cluster, "AdminCountUsers", { opts: {} })).status).toBe(200);
  const ip = newAddress();
  let limited = 0;
  for (let i = 0; i < 200 && limited === 0; i++)
    if ((await api(cluster, "/register/availability?username=somebody", { ip })).status === 429) limited++;

  const after = await scrape();
  const grown = (name: string, labels?: Readonly<Record<string, string>>): number =>
    after.sum(name, labels) - before.sum(name, labels);
  expect(grown("authkit_login_total", { method: "password_login", result: "ok" })).toBe(5);
  expect(grown("authkit_login_total", { method: "password_login", result: "invalid_credentials" })).toBe(3);
  expect(grown("authkit_refresh_total", { result: "rotated" })).toBe(2);
  const route = { route: "/api/v1/password/login", method: "POST" };
  expect(grown("authkit_http_request_duration_seconds_count", { ...route, status: "200" })).toBe(5);
  expect(grown("authkit_http_request_duration_seconds_count", { ...route, status: "401" })).toBe(3);
  expect(grown("authkit_password_hash_seconds_count")).toBe(9);
  expect(grown("authkit_password_hash_seconds_count", { operation: "verify" })).toBe(8);
  expect(after.sum("authkit_password_hash_queue_depth")).toBe(0);
  expect(
    grown("authkit_management_call_duration_seconds_count", { method: "AdminCountUsers", status: "200" }),
  ).toBe(1);
  expect(grown("authkit_rate_limited_total")).toBe(limited);
  expect(grown("authkit_database_statement_seconds_count")).toBeGreaterThan(20);
});

test("durations have buckets from half a millisecond", async () => {
  const { series } = await scrape();
  for (const { name, kind } of declaredMetrics()) {
    const buckets = [...series.keys()].filter((key) => key.startsWith(`${name}_bucket{`));
    if (kind !== "histogram" || buckets.length === 0) continue;
    expect(buckets[0], name).toContain('le="0.0005"');
  }
});

test("nothing else is served there", async () => {
  expect((await fetch(metrics.replace("/metrics", "/"))).status).toBe(404);
  expect((await fetch(metrics, { method: "POST" })).status).toBe(404);
  expect((await fetch(`${cluster.url}/metrics`)).status).toBe(404);
});
