import { cpus } from "node:os";
import type { Line } from "./bench.ts";
import { bottleneck } from "./observation/bottleneck.ts";
import type { BenchOptions } from "./options.ts";

const digits = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(1));

function cells(line: Line): readonly string[] {
  const { ours, raw, ratio } = line;
  return [
    line.path,
    ours === undefined ? "" : digits(ours.rate),
    ours === undefined ? "" : digits(ours.p50),
    ours === undefined ? "" : digits(ours.p99),
    ours === undefined ? "" : `${ours.errors}/${ours.refused}`,
    ours === undefined ? "" : digits(ours.cpuMicros),
    raw === undefined ? "" : `${digits(raw)} ${line.against ?? ""}`,
    ratio === undefined ? "" : ratio.toFixed(2),
    line.budget ?? "",
    line.met === undefined ? "" : line.met ? "met" : "MISSED",
    line.note ?? "",
  ];
}

const header = [
  "path",
  "req/s",
  "p50 ms",
  "p99 ms",
  "err/non-2xx",
  "CPU µs/req",
  "raw limit",
  "ratio",
  "budget",
  "",
  "note",
];

/** Cells as a Markdown table, aligned for a terminal too. */
function markdown(rows: readonly (readonly string[])[]): string {
  const [head = [], ...body] = rows;
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const render = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [render(head), rule, ...body.map(render)].join("\n");
}

/** The first table: rates and times, their raw limits and budgets. */
export function table(lines: readonly Line[]): string {
  return markdown([header, ...lines.map(cells)]);
}

const costHeader = [
  "path",
  "limited by",
  "cores busy, by process",
  "SQL that costs most: calls/req × ms, share",
  "waits for a connection",
];

/** Cores below this are noise. */
const leastCores = 0.005;

function costCells({ path, ours, observed, observedAnswers, paced }: Line): readonly string[] {
  if (observed === undefined) return [];
  const { cpu, waits, statements, statementMs } = observed;
  const answers = observedAnswers ?? ours?.answers ?? 0;
  const cores = cpu.byKind
    .filter(([, used]) => used >= leastCores)
    .map(([kind, used]) => `${kind} ${used.toFixed(2)}`);
  const sql = statements.map(({ name, calls, totalMs }) => {
    const share = ((100 * totalMs) / statementMs).toFixed(0);
    return `${name} ${(calls / Math.max(1, answers)).toFixed(2)} × ${(totalMs / calls).toFixed(3)}, ${share} %`;
  });
  return [
    path,
    bottleneck({ cpu, waits, answers, paced: paced === true }),
    `${cores.join(", ")}; all ${cpu.busy.toFixed(2)} of ${cpu.cores}`,
    sql.join("; "),
    waits.count === 0
      ? "none"
      : `${waits.count} of ${answers}, mean ${waits.meanMs.toFixed(1)} ms, p99 ≤ ${waits.p99Ms.toFixed(1)} ms`,
  ];
}

/** The second table: what each measurement cost whom, and what limited it; of several rounds the last. */
export function costs(lines: readonly Line[]): string {
  const last = new Map(
    lines.filter(({ observed }) => observed !== undefined).map((line) => [line.path, line]),
  );
  return markdown([costHeader, ...[...last.values()].map(costCells)]);
}

/** What has to be known to read the figures. */
export function preamble(options: BenchOptions, argon2: string): string {
  const model = cpus()[0]?.model ?? "unknown processor";
  return [
    `${cpus().length} × ${model}, Node ${process.version}, load generator on the same cores`,
    "PostgreSQL durable and with pg_stat_statements, Redis without persistence, both on the same cores",
    `${options.users} accounts, ${options.httpWorkers} http workers, ${options.hashingWorkers} hashing workers, Argon2id ${argon2}`,
    `${options.duration} s a measurement, ${options.connections} connections`,
  ].join("\n");
}
