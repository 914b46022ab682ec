/**
 * `npm run check:imports`: proves that imports point one way, that rooms reach each other only where the design allows it, and that what the
 * server does takes the time from the clock port. Exits 1 and names every line that does not.
 */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

/** Room → rooms it may import from. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  contract: [],
  config: ["contract"],
  platform: ["config", "contract"],
  core: ["platform", "config", "contract"],
  http: ["core", "platform", "config", "contract"],
  management: ["core", "platform", "config", "contract"],
  jobs: ["core", "platform", "config", "contract"],
  client: ["contract"],
  verify: ["contract"],
  cli: ["workers", "client", "http", "management", "jobs", "core", "platform", "config", "contract"],
  workers: ["client", "http", "management", "jobs", "core", "platform", "config", "contract"],
};

/** Rooms whose time is the platform's clock, so that tests can move it. */
const clocked = ["core", "http", "management", "jobs"];

function room(path: string): string | undefined {
  const parts = path.split("/");
  return parts[0] === "src" ? parts[1] : parts[0];
}

const problems: string[] = [];
for (const file of globSync(["src/**/*.ts", "workers/**/*.ts"])) {
  const from = room(file);
  const may = from === undefined ? undefined : allowed[from];
  if (from === undefined || may === undefined) {
    problems.push(`${file}: not in a known room`);
    continue;
  }
  const text = readFileSync(file, "utf8");
  if (clocked.includes(from) && /\bDate\.now\(|\bnew Date\(\)/.test(text))
    problems.push(`${file}: takes the time from the system instead of the clock port`);
  for (const match of text.matchAll(/(?:from|import)\s*\(?\s*"(\.{1,2}\/[^"]+)"/g)) {
    const target = normalize(join(dirname(file), match[1] ?? ""));
    const to = room(target);
    if (to !== undefined && to !== from && !may.includes(to)) {
      problems.push(`${file}: ${from} must not import ${to} (${target})`);
    }
  }
}

for (const problem of problems) console.error(problem);
console.log(problems.length === 0 ? "imports: one way" : `imports: ${problems.length} against the design`);
process.exitCode = problems.length === 0 ? 0 : 1;
