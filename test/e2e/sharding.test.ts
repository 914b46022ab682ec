import { readFileSync } from "node:fs";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test, vi } from "vitest";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import type { Statement } from "../../src/platform/postgres/port.ts";
import { api, messageTo, registered } from "../support/accounts.ts";
import { doors, settle } from "../support/doors.ts";
import { must } from "../support/expectation.ts";
import { type OpenHouse, openHouse } from "../support/house.ts";
import { call, request } from "../support/http.ts";
import { until } from "../support/outcome.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { insertedWithout, nodesOf, type PlanNode, unbound } from "../support/sharding/bindings.ts";
import {
  elsewhere,
  hotPaths,
  hotStatements,
  placedByAccount,
  referenceTables,
} from "../support/sharding/placement.ts";
import { startTraceCollector, type TraceCollector } from "../support/trace-collector.ts";

/** Every statement there is, by its name, as the modules declare them. */
const declared = vi.hoisted(() => new Map<string, Statement>());
vi.mock("../../src/platform/postgres/port.ts", async (original) => {
  const port = await original<typeof import("../../src/platform/postgres/port.ts")>();
  const kept =
    (declare: typeof port.sql): typeof port.sql =>
    (name, text) => {
      const statement = declare(name, text);
      declared.set(name, statement);
      return statement;
    };
  return { ...port, sql: kept(port.sql), lookup: kept(port.lookup) };
});

/** The queue names a statement by its text. */
const ofQueue = /^queue\.[0-9a-f]{16}$/;
const table = "test/support/sharding/placement.ts";
const firefox = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0";

const yaml = (acme: string): string => `
limits: { enabled: false }
providers:
  - ${acme}
personas:
  - name: root
    roles:
      - { name: auditor, permissions: ["root:resources:read"] }
  - name: org
    parent: root
    capabilities: { api_keys: true }
    roles:
      - { name: reader, permissions: ["org:members:read"] }
`;

let database: Awaited<ReturnType<typeof createTestDatabase>>;
let collector: TraceCollector;
let house: OpenHouse;
let sql: pg.Client;
/** Names of the statements that ran, and the hot paths they ran on. */
const ran = new Map<string, Set<string>>();
const seen = new Set<string>();

beforeAll(async () => {
  await import("../../workers/platform.ts");
  await import("../../src/core/index.ts");
  database = await createTestDatabase(inject("postgresUrl"));
  collector = await startTraceCollector();
  house = await openHouse(yaml, {
    DB_URL: database.url,
    AUTHKIT_REGISTRATION_VERIFICATION: "optional",
    AUTHKIT_TRACING: "true",
    OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_BSP_SCHEDULE_DELAY: "50",
  });
  sql = new pg.Client({ connectionString: database.url });
  await sql.connect();
  await useEverything(house);
  collect();
}, 300_000);
afterAll(async () => {
  await sql?.end();
  await house?.close();
  await collector?.close();
  await database?.drop();
});

/** Every hot path at least once, as people and back ends use them. */
async function useEverything(house: OpenHouse): Promise<void> {
  const { cluster } = house;
  const dweller = await settle(house);
  // The code of the registration is not one to sign in with.
  await messageTo(cluster, dweller.email);
  // The doors of the first session come before those that end it by opening more.
  for (const [name, door] of Object.entries(doors).toReversed()) {
    const reply = await door(house, dweller);
    if (reply.status >= 300) throw new Error(`${name}: ${reply.status} ${reply.text}`);
  }

  const account = await registered(cluster);
  const { email, password } = account;
  const { code } = await messageTo(cluster, email);
  must(await api(cluster, "/email/verify/confirm", { body: { email, code } }));
  const login = { body: { email, password }, headers: { "user-agent": firefox } };
  const session = must(await api(cluster, "/password/login", login));
  const bearer = String(session.body["access_token"]);
  const refresh = { body: { grant_type: "refresh_token", refresh_token: session.body["refresh_token"] } };
  must(await api(cluster, "/token", refresh));
  // Within the grace window the predecessor is as good.
  const repeated = must(await api(cluster, "/token", refresh));
  must(await api(cluster, "/sessions/current", { body: { refresh_token: repeated.body["refresh_token"] } }));
  must(await api(cluster, "/me", { bearer }));
  must(await api(cluster, "/user/sessions", { bearer }));
  must(await api(cluster, "/logout", { method: "DELETE", bearer }));
  must(await request(`${cluster.url}/.well-known/jwks.json`));

  const { phone, password: ofPhone } = await registered(cluster, "phone");
  must(await api(cluster, "/password/login", { body: { login: phone, password: ofPhone } }));
  await withSecondFactor(house);

  must(await call(cluster, "IsUserAllowed", { userID: dweller.id }));
  const req = { Persona: "org", InstanceSlug: "acme", OwnerSubjectID: dweller.id };
  must(await call(cluster, "CreatePermissionGroup", { req }));
  const question = { subjectID: dweller.id, subjectKind: "user", persona: "org", instanceSlug: "acme" };
  must(await call(cluster, "Can", { ...question, perm: "org:members:read" }));
  const key = must(
    await call(cluster, "MintAPIKey", {
      ...{ persona: "org", instanceSlug: "acme", name: "ci", role: "reader", createdBy: dweller.id },
      expiresAt: null,
    }),
  );
  const [, keyID, secret] = /^st_(\w{16})_(\w+)$/.exec(String(Object(key.body["result"]).r1)) ?? [];
  must(await call(cluster, "ResolveAPIKeyDetailed", { keyID, secret }));
  await until("the last span", 30, () =>
    collector.spans.some(({ name }) => name === "ResolveAPIKeyDetailed"),
  );
  await until("all paths", 30, () => {
    for (const { name } of collector.spans) seen.add(name);
    return hotPaths.every((path) => seen.has(path));
  }).catch(() => undefined);
}

async function withSecondFactor({ cluster }: OpenHouse): Promise<void> {
  const { email, password, accessToken: bearer } = await registered(cluster);
  const started = must(await api(cluster, "/user/2fa", { body: { method: "totp" }, bearer }));
  const step = (offset: number): string =>
    totpCode(String(started.body["secret"]), Math.floor(Date.now() / 1000 / totpPeriod) + offset);
  const enrolment = { body: { method: "totp", code: step(-1) }, bearer };
  const enrolled = must(await api(cluster, "/user/2fa", enrolment));
  const [backupCode] = [enrolled.body["backup_codes"]].flat();
  for (const proof of [() => ({ code: step(1) }), () => ({ code: backupCode, backup_code: true })]) {
    const { body } = must(await api(cluster, "/password/login", { body: { email, password } }));
    const { user_id, challenge } = body;
    must(await api(cluster, "/2fa/verify", { body: { user_id, challenge, ...proof() } }));
  }
}

function collect(): void {
  const paths = new Map<string, Set<string>>();
  for (const { name, kind, traceId } of collector.spans)
    if (kind === "server" && hotPaths.includes(name))
      paths.set(traceId, (paths.get(traceId) ?? new Set()).add(name));
  for (const { traceId, attributes } of collector.spans) {
    const statement = attributes["db.query.summary"];
    const on = paths.get(traceId);
    if (statement === undefined || on === undefined || statement === "COMMIT" || ofQueue.test(statement))
      continue;
    ran.set(statement, new Set([...(ran.get(statement) ?? []), ...on]));
  }
}

async function planOf(text: string): Promise<PlanNode> {
  const { rows } = await sql.query({ text: `EXPLAIN (GENERIC_PLAN, VERBOSE, FORMAT JSON) ${text}` });
  return rows[0]["QUERY PLAN"][0].Plan;
}

function textOf(name: string): string {
  const statement = declared.get(name);
  if (statement === undefined)
    return expect.fail(`${name} is no statement any more: remove it from ${table}`);
  return statement.text('"profiles"');
}

/** What a statement asks for beyond one account. */
async function beyondOneAccount(name: string): Promise<string[]> {
  const text = textOf(name);
  return [...unbound(await planOf(text), placedByAccount), ...insertedWithout(text, placedByAccount)];
}

const foundBy = (kind: string): string[] =>
  Object.keys(hotStatements).filter((name) => hotStatements[name] === kind);

describe("sharding", () => {
  test.each<[string, string[]]>([
    ["SELECT FROM S.users AS u WHERE u.id = $1", []],
    ["SELECT FROM S.users AS u WHERE u.email = $1", ["users AS u"]],
    ["SELECT FROM S.users AS u WHERE u.id = $1 OR u.email = $2", ["users AS u"]],
    ["SELECT FROM S.users AS u WHERE u.id = ANY ($1::uuid[])", ["users AS u"]],
    ["SELECT FROM S.users AS u JOIN S.refresh_sessions AS t ON t.user_id = u.id WHERE u.id = $1", []],
    [
      "SELECT FROM S.users AS u JOIN S.refresh_sessions AS t ON t.id = $2 WHERE u.id = $1",
      ["refresh_sessions AS t"],
    ],
    ["UPDATE S.refresh_sessions AS t SET last_used_at = $2 WHERE t.id = $1", ["refresh_sessions AS t"]],
    ["UPDATE S.refresh_sessions AS t SET user_id = $2 WHERE t.id = $1", ["refresh_sessions AS t"]],
    ["DELETE FROM S.refresh_sessions AS t WHERE t.id = $1 AND (t.user_id = $2 AND t.issuer = $3)", []],
    [
      "SELECT EXISTS (SELECT FROM S.user_passwords AS p WHERE p.user_id = u.id) FROM S.users AS u WHERE u.id = $1",
      [],
    ],
    ["SELECT FROM S.session_events AS e WHERE e.user_id = $1::uuid::text", []],
  ])("reads %s", async (text, beyond) => {
    expect(unbound(await planOf(text.replaceAll("S.", "profiles.")), placedByAccount)).toEqual(beyond);
  });

  test("every table has its place", async () => {
    const { rows } = await sql.query<{ name: string }>(
      "SELECT relname AS name FROM pg_class WHERE relnamespace = 'profiles'::regnamespace AND relkind IN ('r', 'p') ORDER BY 1",
    );
    const placed = [...Object.keys(placedByAccount), ...referenceTables, ...Object.keys(elsewhere)];
    expect(
      placed.toSorted(),
      `say in ${table} where each table is placed on a distributed PostgreSQL`,
    ).toEqual(rows.map(({ name }) => name));
  });

  test("every hot path was used", () => {
    expect(hotPaths.filter((path) => !seen.has(path))).toEqual([]);
  });

  test("every statement of a hot path is classified", () => {
    const unknown = [...ran].flatMap(([name, paths]) =>
      name in hotStatements ? [] : [`${name} (${[...paths].join(", ")})`],
    );
    expect(
      unknown.toSorted(),
      `These statements run on hot paths now. Give each the account in its WHERE if the caller knows it, and enter it as "account" in ${table}; ` +
        `if it is to find the account, enter it as "look-up" and in the table of docs/scaling.md; if it touches nobody's rows, as "no account".`,
    ).toEqual([]);
  });

  test("nothing is classified that does not run", () => {
    expect(Object.keys(hotStatements).filter((name) => !ran.has(name))).toEqual([]);
  });

  test.each(foundBy("account"))("%s asks one account's shard", async (name) => {
    expect(
      await beyondOneAccount(name),
      `${name} reads rows without the account they are placed by: add it to the WHERE (or the INSERT's columns), or enter ${name} as "look-up" in ${table} and in docs/scaling.md`,
    ).toEqual([]);
  });

  test.each(foundBy("look-up"))("%s cannot know the account, and the page says what helps", async (name) => {
    expect(
      await beyondOneAccount(name),
      `${name} is found by the account: enter it as "account"`,
    ).not.toEqual([]);
  });

  test.each(foundBy("no account"))("%s touches nobody's rows", async (name) => {
    const tables = nodesOf(await planOf(textOf(name))).flatMap((node) => node["Relation Name"] ?? []);
    expect(tables.filter((one) => one in placedByAccount)).toEqual([]);
  });

  test("docs/scaling.md lists the look-ups, and no others", () => {
    const page = readFileSync(new URL("../../docs/scaling.md", import.meta.url), "utf8");
    const section = page.split(/^## /m).find((one) => one.startsWith("Placing tables by user")) ?? "";
    const listed = section
      .split("\n")
      .filter((line) => line.startsWith("| `"))
      .flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(/`([\w.]+)`/g)].map(([, name]) => name));
    expect(listed.toSorted()).toEqual(foundBy("look-up").toSorted());
  });
});
