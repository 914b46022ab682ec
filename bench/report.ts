import { cpus } from "node:os";
import type { Line } from "./bench.ts";
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

/** The report as a Markdown table, aligned for a terminal too. */
export function table(lines: readonly Line[]): string {
  const rows = [header, ...lines.map(cells)];
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const render = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(" | ")} |`;
  const rule = `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`;
  return [render(header), rule, ...rows.slice(1).map(render)].join("\n");
}

/** What has to be known to read the figures. */
export function preamble(options: BenchOptions, argon2: string): string {
  const model = cpus()[0]?.model ?? "unknown processor";
  return [
    `${cpus().length} × ${model}, Node ${process.version}, load generator on the same cores`,
    `${options.users} accounts, ${options.httpWorkers} http workers, ${options.hashingWorkers} hashing workers, Argon2id ${argon2}`,
    `${options.duration} s a measurement, ${options.connections} connections`,
  ].join("\n");
}
