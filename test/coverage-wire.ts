/**
 * `node test/coverage-wire.ts <record>`: which answers of the route table the tests have not seen over HTTP, by what test/support/wire-record.ts
 * has collected. Names every missing success and error code and exits 1 when there are any but those of contract/unprovoked.ts. `npm test` runs
 * it after the whole suite. The method table has no part in it: its cases are checked for completeness where they are run.
 */
import { readFileSync } from "node:fs";
import { routes } from "../src/http/routes/index.ts";
import { unprovoked } from "./contract/unprovoked.ts";

const [record] = process.argv.slice(2);
if (record === undefined) throw new Error("usage: coverage-wire <record>");

const rows = routes.map((route) => {
  const segments = route.path.split("/").filter((segment) => segment !== "");
  const pattern = route.path.replaceAll(".", "\\.").replaceAll(/\{[^}]+\}/g, "[^/]+");
  return {
    route,
    name: `${route.method} ${route.path}`,
    fixed: segments.filter((segment) => !segment.startsWith("{")).length,
    // Below whatever prefix a test has mounted the table at.
    pattern: new RegExp(`^(?:/[^/]+)*?${pattern}$`),
    seen: new Set<string>(),
  };
});
type Row = (typeof rows)[number];

// `/admin/users` is no instance of a persona: the row with the most fixed segments is meant.
const bySpecificity = rows.toSorted((a, b) => b.fixed - a.fixed);

function rowOf(method: string, path: string): Row | undefined {
  return bySpecificity.find(
    ({ route, pattern }) => (route.method === method || route.anyMethod === true) && pattern.test(path),
  );
}

for (const line of readFileSync(record, "utf8").split("\n")) {
  const [method = "", path = "", status = "", code = "-"] = line.split(" ");
  const answer = code !== "-" ? code : Number(status) < 400 ? "success" : status;
  rowOf(method, path)?.seen.add(answer);
}

let missing = 0;
for (const { route, name, seen } of rows) {
  const excused = (code: string): boolean =>
    Object.hasOwn(unprovoked, code) || Object.hasOwn(unprovoked, `${name} ${code}`);
  const unseen = ["success", ...route.errors].filter((code) => !seen.has(code) && !excused(code));
  missing += unseen.length;
  if (unseen.length > 0) console.log(`  no test has seen: ${name}: ${unseen.join(", ")}`);
}
console.log(`wire coverage: ${rows.length} routes, ${missing} answers no test has seen`);
process.exitCode = missing === 0 ? 0 : 1;
