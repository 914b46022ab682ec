/**
 * `node test/coverage-wire.ts <record>`: which answers of the route and method tables the tests have seen over HTTP. The record is what
 * test/support/wire-record.ts has collected. Names every success and every error code of a row that no test has seen, and exits 1 when there are
 * any but the ones that cannot be provoked from outside.
 */
import { readFileSync } from "node:fs";
import { browserErrors } from "../src/contract/errors/index.ts";
import { methodRows } from "../src/contract/methods/index.ts";
import { routes } from "../src/http/routes/index.ts";
import { unprovoked } from "./contract/unprovoked.ts";

const seen = new Map<string, Set<string>>();

const table = routes.map((route) => {
  const fixed = route.path.split("/").filter((part) => part !== "" && !part.startsWith("{")).length;
  const pattern = route.path.replace(/[.]/g, "\\.").replace(/\{[^}]+\}/g, "[^/]+");
  return {
    route,
    fixed,
    name: `${route.method} ${route.path}`,
    pattern: new RegExp(`^(?:/[^/]+)*?${pattern}$`),
  };
});
const bySpecificity = table.toSorted((a, b) => b.fixed - a.fixed);

function rowOf(method: string, path: string): string | undefined {
  const call = /^\/v1\/call\/(\w+)$/.exec(path);
  if (call !== null) return call[1];
  return bySpecificity.find(
    (one) => (one.route.method === method || one.route.anyMethod === true) && one.pattern.test(path),
  )?.name;
}

for (const line of readFileSync(process.argv[2] ?? "", "utf8").split("\n")) {
  const [method = "", path = "", status = "", code = "-"] = line.split(" ");
  const row = rowOf(method, path);
  if (row === undefined) continue;
  const answers = seen.get(row) ?? new Set();
  seen.set(row, answers.add(code === "-" ? (Number(status) < 400 ? "success" : status) : code));
}
let missing = 0;
for (const { route, name } of table) {
  const answers = seen.get(name) ?? new Set();
  const wanted = ["success", ...route.errors];
  const unseen = wanted.filter(
    (code) =>
      !answers.has(code) && !Object.hasOwn(unprovoked, code) && !Object.hasOwn(unprovoked, `${name} ${code}`),
  );
  missing += unseen.length;
  if (unseen.length > 0) console.log(`${name}: ${unseen.join(" ")}`);
}
for (const [, method] of methodRows) {
  if (seen.get(method.name)?.has("success") !== true) {
    missing++;
    console.log(`${method.name}: success`);
  }
}
console.log(missing, Object.keys(browserErrors ?? {}).length);
