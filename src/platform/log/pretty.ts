const colours: Readonly<Record<string, number>> = { fatal: 35, error: 31, warn: 33, info: 32, debug: 90 };
const hidden = new Set(["ts", "level", "msg", "pid", "worker"]);

/** One log line for a person at a terminal: time, level, worker, message, then the fields. */
export function prettyLine(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line);
  } catch {
    return line;
  }
  const level = String(entry["level"]);
  const time = String(entry["ts"]).slice(11, 23);
  const fields = Object.entries(entry)
    .filter(([name]) => !hidden.has(name))
    .map(([name, value]) => (name === "err" ? `\n${indent(value)}` : ` ${dim(`${name}=`)}${shown(value)}`))
    .join("");
  const worker = String(entry["worker"] ?? "");
  return `${dim(time)} ${paint(level.toUpperCase().padEnd(5), colours[level] ?? 0)} ${dim(worker.padEnd(10))} ${String(entry["msg"])}${fields}\n`;
}

function shown(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function indent(value: unknown): string {
  if (typeof value !== "object" || value === null) return `  ${shown(value)}`;
  const { type, message, stack, cause } = value as Record<string, unknown>;
  const own = `  ${paint(`${String(type)}: ${String(message)}`, 31)}${typeof stack === "string" ? `\n${dim(stack)}` : ""}`;
  return cause === undefined ? own : `${own}\n  caused by\n${indent(cause)}`;
}

function dim(text: string): string {
  return paint(text, 90);
}

function paint(text: string, colour: number): string {
  return `\u001b[${colour}m${text}\u001b[0m`;
}
