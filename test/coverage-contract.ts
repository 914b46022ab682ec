/**
 * `npm run coverage:contract`: how much of the contract is built. Compares the method table with the handlers, and the route table with the
 * routes the contract lists. Always exits 0: it reports, the tests judge.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Config } from "../src/config/config.ts";
import { type Method, methodRows } from "../src/contract/methods/index.ts";
import type { Core } from "../src/core/index.ts";
import type { Route } from "../src/http/route.ts";
import { createHandlers } from "../src/management/handlers/index.ts";

interface ExpectedRoute {
  readonly method: string;
  readonly path: string;
  readonly generations: readonly string[];
}

/** Answers every member and every call with itself, so that handler tables can be made without a server. */
const anything: object = new Proxy(() => anything, { get: () => anything });

/** Served by the http plane itself, outside the route table. */
const outsideTable: ReadonlySet<string> = new Set([
  "GET /.well-known/jwks.json",
  "GET /healthz",
  "POST /v1/call/{}",
]);

function methodReport(): void {
  const handlers = createHandlers(anything as Core, anything as Config);
  const isBuilt = ([key]: readonly [string, Method]): boolean => Object.hasOwn(handlers, key);
  const topics = [...new Set(methodRows.map(([, row]) => row.topic))].sort();
  for (const topic of topics) {
    const rows = methodRows.filter(([, row]) => row.topic === topic);
    const missing = rows.filter((row) => !isBuilt(row)).map(([, row]) => row.name);
    const count = `${rows.length - missing.length}/${rows.length}`;
    console.log(
      `  ${topic.padEnd(14)} ${count.padStart(7)}  ${missing.length === 0 ? "" : `missing: ${missing.join(", ")}`}`,
    );
  }
  for (const generation of ["0.73", "0.97"] as const) {
    const rows = methodRows.filter(([, row]) => row.generations.includes(generation));
    console.log(`  generation ${generation}: ${rows.filter(isBuilt).length} of ${rows.length}`);
  }
  const own = methodRows.filter(([, row]) => row.generations.length === 0).map(([, row]) => row.name);
  console.log(`  our own: ${own.join(", ")}`);
  console.log(`management methods: ${methodRows.filter(isBuilt).length} of ${methodRows.length}`);
}

/** Parameters may be called differently; only their places count. */
function shape(method: string, path: string): string {
  return `${method} ${path.replace(/\{[^}]*\}/g, "{}")}`;
}

async function routeTable(): Promise<readonly Route[]> {
  try {
    return (await import("../src/http/routes/index.ts")).routes;
  } catch (error) {
    console.log(
      `  the route table cannot be loaded: ${error instanceof Error ? error.message : String(error)}`,
    );
    return [];
  }
}

async function routeReport(): Promise<void> {
  const listed: unknown = JSON.parse(readFileSync(join(import.meta.dirname, "contract/routes.json"), "utf8"));
  const expected = Array.isArray(listed) ? (listed as readonly ExpectedRoute[]) : [];
  const built = new Set(outsideTable);
  const table = await routeTable();
  for (const route of table) built.add(shape(route.method, route.path));
  const missing = expected.filter(({ method, path }) => !built.has(shape(method, path)));
  for (const { method, path, generations } of missing) {
    console.log(`  missing: ${method.padEnd(6)} ${path}  (${generations.join(", ")})`);
  }
  const known = new Set(expected.map(({ method, path }) => shape(method, path)));
  for (const route of table) {
    if (!known.has(shape(route.method, route.path)))
      console.log(`  our own: ${route.method.padEnd(6)} ${route.path}`);
  }
  console.log(`routes: ${expected.length - missing.length} of ${expected.length}`);
}

methodReport();
await routeReport();
