import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = join(import.meta.dirname, "../..");

export interface DeclaredMetric {
  readonly name: string;
  readonly kind: "counter" | "gauge" | "histogram";
  readonly labels: readonly string[];
}

/** `metrics.counter("name", "help", ["label"])`, over any number of lines. */
const declaration =
  /metrics\.(counter|gauge|histogram)\(\s*"([^"]+)",\s*"[^"]+",?\s*(?:\[((?:\s*"[a-z_]+",?)*)\s*\])?/g;

/** Every instrument that the program's source declares. */
export function declaredMetrics(): readonly DeclaredMetric[] {
  const found = new Map<string, DeclaredMetric>();
  for (const file of globSync(["src/**/*.ts", "workers/**/*.ts"], { cwd: root })) {
    for (const [, kind, name = "", labels = ""] of readFileSync(join(root, file), "utf8").matchAll(
      declaration,
    )) {
      if (kind !== "counter" && kind !== "gauge" && kind !== "histogram") continue;
      found.set(name, {
        name,
        kind,
        labels: [...labels.matchAll(/"([a-z_]+)"/g)].map(([, label = ""]) => label),
      });
    }
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}
