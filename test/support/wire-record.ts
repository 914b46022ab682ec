import { appendFileSync } from "node:fs";

/** File that collects what was seen on the wire; unset = nothing is collected. */
const file = process.env["TEST_WIRE_RECORD"];
const seen = new Set<string>();

/** One kind of answer, as `METHOD path status code`. Each is written once a process. */
export function recordReply(method: string, url: string, status: number, code: string | undefined): void {
  if (file === undefined) return;
  const line = `${method} ${new URL(url).pathname} ${status} ${code ?? "-"}\n`;
  if (seen.has(line)) return;
  seen.add(line);
  appendFileSync(file, line);
}
