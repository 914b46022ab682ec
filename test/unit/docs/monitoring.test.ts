import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type Static, Type } from "typebox";
import { Value } from "typebox/value";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { declaredMetrics } from "../../support/declared-metrics.ts";
import { deploymentTool, presence } from "../../support/deployment-tools.ts";

const root = join(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");

const Dashboard = Type.Object({
  panels: Type.Array(
    Type.Object({
      title: Type.String(),
      targets: Type.Optional(Type.Array(Type.Object({ expr: Type.String() }))),
    }),
  ),
});
const Rules = Type.Object({
  groups: Type.Array(
    Type.Object({
      rules: Type.Array(
        Type.Object({
          alert: Type.String(),
          expr: Type.String(),
          annotations: Type.Object({ summary: Type.String(), runbook: Type.String() }),
        }),
      ),
    }),
  ),
});

const dashboard: Static<typeof Dashboard> = Value.Parse(
  Dashboard,
  JSON.parse(read("deploy/kubernetes/authkit-server/monitoring/grafana-dashboard.json")),
);
const rules = Value.Parse(
  Rules,
  parse(read("deploy/kubernetes/authkit-server/monitoring/alerts.yaml")),
).groups.flatMap((group) => group.rules);
const expressions: readonly (readonly [string, string])[] = [
  ...dashboard.panels.flatMap(({ title, targets = [] }) => targets.map(({ expr }) => [title, expr] as const)),
  ...rules.map(({ alert, expr }) => [alert, expr] as const),
];

/** Labels a scrape adds, and those of a process's own series. */
const foreign = new Map([
  ["up", ["job", "instance"]],
  ["process_resident_memory_bytes", ["worker"]],
  ["process_cpu_seconds_total", ["worker"]],
  ["nodejs_eventloop_lag_p99_seconds", ["worker"]],
]);
const known = new Map<string, readonly string[]>(foreign);
for (const { name, kind, labels } of declaredMetrics()) {
  if (kind !== "histogram") known.set(name, labels);
  else {
    known.set(`${name}_bucket`, [...labels, "le"]);
    for (const end of ["count", "sum"]) known.set(`${name}_${end}`, labels);
  }
}

/** Names of PromQL itself. */
const words = new Set("absent and by histogram_quantile max min or rate sum topk unless without".split(" "));

/** Metrics of an expression with the labels it asks of them: `by (…)` binds all, `{…}` its own. */
function uses(expr: string): { readonly metrics: readonly string[]; readonly labels: readonly string[] } {
  const grouped = [...expr.matchAll(/\b(?:by|without)\s*\(([^)]*)\)/g)].flatMap(([, list = ""]) =>
    list.split(","),
  );
  const matched = [...expr.matchAll(/\{([^}]*)\}/g)].flatMap(([, list = ""]) =>
    [...list.matchAll(/([a-z_]+)\s*(?:=~|!~|!=|=)/g)].map(([, label = ""]) => label),
  );
  const bare = expr
    .replaceAll(/\{[^}]*\}|\[[^\]]*\]|"[^"]*"/g, " ")
    .replaceAll(/\b(by|without)\s*\([^)]*\)/g, " ");
  const metrics = [...bare.matchAll(/[a-zA-Z_:][a-zA-Z0-9_:]*/g)]
    .map(([name]) => name)
    .filter((name) => !words.has(name));
  return {
    metrics,
    labels: [...grouped, ...matched].map((label) => label.trim()).filter((label) => label !== ""),
  };
}

describe("dashboard and alert rules ask for what exists", () => {
  test.each(expressions)("%s", (_, expr) => {
    const { metrics, labels } = uses(expr);
    expect(metrics).not.toEqual([]);
    for (const metric of metrics) {
      expect([...known.keys()]).toContain(metric);
      expect(known.get(metric)).toEqual(expect.arrayContaining([...labels]));
    }
  });
});

const promtool = deploymentTool("promtool");

test.runIf(promtool)(`Prometheus itself takes the rules (${presence("promtool")})`, () => {
  const { status, stdout, stderr } = spawnSync(
    promtool ?? "",
    ["check", "rules", "deploy/kubernetes/authkit-server/monitoring/alerts.yaml"],
    { cwd: root, encoding: "utf8" },
  );
  expect(status, stdout + stderr).toBe(0);
  expect(stdout).toContain(`${rules.length} rules found`);
});

test.each(rules)("the runbook of $alert is a heading of the page", ({ annotations }) => {
  const [page = "", anchor] = annotations.runbook.split("#");
  const anchors = [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replaceAll(/[^a-z0-9 _-]/g, "")
      .replaceAll(" ", "-"),
  );
  expect(anchors).toContain(anchor);
});

test("every metric is on the operations page, with its labels", () => {
  const rows = new Map(
    [...read("docs/operations.md").matchAll(/^\| `(authkit_\w+)` \|([^|]*)\|/gm)].map(
      ([, name = "", labels = ""]) => [name, [...labels.matchAll(/`(\w+)`/g)].map(([, label]) => label)],
    ),
  );
  expect(rows).toEqual(new Map(declaredMetrics().map(({ name, labels }) => [name, labels])));
});

test("names follow the convention: base units, a suffix for totals, no label that names a person", () => {
  for (const { name, kind, labels } of declaredMetrics()) {
    expect(name).toMatch(/^authkit_[a-z_]+$/);
    if (kind === "counter") expect(name).toMatch(/_total$/);
    if (kind === "histogram") expect(name).toMatch(/_(seconds|bytes)$/);
    for (const label of labels) expect(label).not.toMatch(/user|email|phone|ip|address|session|token/);
  }
});
