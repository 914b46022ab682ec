import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { request } from "../support/http.ts";

let cluster: TestCluster;

/** Requests of the fuzzing run; raise it to look longer. */
const runs = Number(process.env["AUTHKIT_FUZZ_RUNS"] ?? "1500");

const yaml = `
limits: { enabled: false }
providers:
  - { name: acme, kind: oidc, issuer: "http://127.0.0.1:9", client_id: x, client_secret: y }
personas:
  - name: root
    capabilities: { api_keys: true, remote_applications: true, custom_roles: true }
  - name: org
    parent: root
    self_service_creation: true
    capabilities: { api_keys: true, remote_applications: true, custom_roles: true }
`;

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "authkit-openapi-"));
  const config = join(directory, "authkit.yaml");
  await writeFile(config, yaml);
  cluster = await startCluster({
    env: {
      AUTHKIT_CONFIG: config,
      AUTHKIT_PASSWORDLESS: "true",
      AUTHKIT_TOTP_SECRET_KEY: "22".repeat(32),
      AUTHKIT_SOLANA_NETWORK: "devnet",
    },
  });
});
afterAll(() => cluster?.stop());

type Json = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function member(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((found, name) => (isRecord(found) ? found[name] : undefined), value);
}

interface Operation {
  readonly path: string;
  readonly verb: string;
  readonly operation: Json;
}

async function read(): Promise<{ readonly document: Json; readonly operations: readonly Operation[] }> {
  const document = (await request(`${cluster.url}/openapi.json`)).body;
  const operations = Object.entries(member(document, "paths") ?? {}).flatMap(([path, verbs]) =>
    Object.entries(isRecord(verbs) ? verbs : {}).map(([verb, operation]) => ({
      path,
      verb,
      operation: isRecord(operation) ? operation : {},
    })),
  );
  return { document, operations };
}

describe("the OpenAPI document", () => {
  test("is valid, names every operation once, and covers routes and methods", async () => {
    const { document, operations } = await read();
    const verdict = await new Validator().validate(JSON.parse(JSON.stringify(document)));
    expect(verdict.errors ?? []).toEqual([]);
    expect(verdict.valid).toBe(true);
    const ids = operations.map(({ operation }) => operation["operationId"]);
    expect(new Set(ids).size).toBe(ids.length);
    expect(operations.filter(({ path }) => path.startsWith("/v1/call/"))).toHaveLength(113);
    expect(operations.length).toBeGreaterThan(113 + 90);
    for (const { path, operation } of operations) {
      const declared = JSON.stringify(operation["parameters"] ?? []);
      for (const [, name] of path.matchAll(/\{([^}]+)\}/g)) expect(declared).toContain(`"${name}"`);
    }
  });

  test("every reference in it leads somewhere", async () => {
    const { document } = await read();
    const schemas = member(document, "components", "schemas");
    for (const [, name = ""] of JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g))
      expect(member(schemas, name), name).toBeDefined();
  });

  test("is answered from the cache of whoever has it", async () => {
    const first = await request(`${cluster.url}/openapi.json`);
    const etag = first.headers.get("etag") ?? "";
    const again = await request(`${cluster.url}/openapi.json`, { headers: { "if-none-match": etag } });
    expect(again.status).toBe(304);
  });

  test("the page needs nothing but this server", async () => {
    const page = await request(`${cluster.url}/docs`);
    expect(page.status).toBe(200);
    expect(page.headers.get("content-security-policy")).toContain("default-src 'none'");
    expect(page.text).not.toMatch(/(src|href)="(https?:)?\/\//);
  });
});

/** Values near and far from what a schema asks for. */
const anything = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "binary", maxLength: 64 }) },
  fc.constantFrom(
    "",
    " ",
    "null",
    "\u0000",
    "a@b.example",
    "+4915112345678",
    "../../etc",
    "' OR 1=1 --",
    "\ud800",
  ),
  fc.constantFrom("019f0000-0000-7000-8000-0000000000aa", "9999999999999999999999", "1e400"),
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.array(fc.string(), { maxLength: 3 }),
  fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
);

/** A body with the members a schema names, each right by its type or anything. */
function bodyFor(document: Json, operation: Json): fc.Arbitrary<unknown> {
  let schema = member(operation, "requestBody", "content", "application/json", "schema");
  const reference = member(schema, "$ref");
  if (typeof reference === "string")
    schema = member(document, "components", "schemas", reference.split("/").pop() ?? "");
  const properties = member(schema, "properties");
  const members = Object.fromEntries(
    Object.keys(isRecord(properties) ? properties : {}).map((name) => [name, anything]),
  );
  return fc.oneof(
    { weight: 6, arbitrary: fc.record(members, { requiredKeys: [] }) },
    { weight: 1, arbitrary: fc.jsonValue() },
    {
      weight: 1,
      arbitrary: fc.constant({ __proto__: null, constructor: { prototype: { polluted: true } } }),
    },
  );
}

describe("fuzzing by schema", () => {
  test(`${runs} requests over every route and method: never a 5xx`, async () => {
    const { document, operations } = await read();
    const account = await registered(cluster);
    const bearers = [account.accessToken, cluster.managementToken, "x", ""];
    // Two that answer 5xx by contract: no proof can be begun, no codes are there to be replaced.
    const allowed = new Set(["2fa_send_failed", "regenerate_codes_failed", "phone_2fa_unavailable"]);
    const one = fc.constantFrom(...operations).chain(({ path, verb, operation }) =>
      fc.record({
        path: fc.constant(path),
        verb: fc.constant(verb),
        segment: fc.oneof(fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 40 }), fc.uuid()),
        query: fc.dictionary(fc.constantFrom("page", "state", "code", "search", "ui", "q"), fc.string(), {
          maxKeys: 2,
        }),
        body: bodyFor(document, operation),
        bearer: fc.constantFrom(...bearers),
      }),
    );
    await fc.assert(
      fc.asyncProperty(one, async ({ path, verb, segment, query, body, bearer }) => {
        const filled = path.replaceAll(/\{[^}]+\}/g, encodeURIComponent(segment));
        const search = new URLSearchParams(query).toString();
        const plain = verb === "get";
        const reply = await request(`${cluster.url}${filled}${search === "" ? "" : `?${search}`}`, {
          method: verb.toUpperCase(),
          ...(plain ? {} : { body: body === undefined ? "" : body }),
          ...(bearer === "" ? {} : { bearer }),
        });
        const fine = reply.status < 500 || reply.status === 501 || allowed.has(reply.code ?? "");
        expect(fine, `${verb} ${filled} ${JSON.stringify(body)} → ${reply.status} ${reply.text}`).toBe(true);
      }),
      { numRuns: runs, interruptAfterTimeLimit: 45_000, markInterruptAsFailure: false },
    );
    expect((await request(`${cluster.url}/readyz`)).status).toBe(200);
  }, 90_000);
});
