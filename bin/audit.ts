/**
 * `npm run audit`: asks the registry about known vulnerabilities. What is shipped decides; the tools of development are told for information.
 * Exit code: 0 nothing of moderate severity or worse is known of what is shipped, 1 something is, 3 it could not be checked.
 */
import { spawnSync } from "node:child_process";
import { Type } from "typebox";
import { Value } from "typebox/value";

const vulnerable = 1;
const unchecked = 3;
const severities = ["critical", "high", "moderate", "low", "info"] as const;
/** Those that keep a release back. */
const grave: ReadonlySet<string> = new Set(["critical", "high", "moderate"]);

const Report = Type.Object({
  auditReportVersion: Type.Literal(2),
  vulnerabilities: Type.Record(
    Type.String(),
    Type.Object({ name: Type.String(), severity: Type.String(), range: Type.String() }),
  ),
});
const Failure = Type.Object({ message: Type.String() });

/** Every vulnerable package, gravest first; or why nothing is known. */
function audit(
  args: readonly string[],
): readonly { readonly severity: string; readonly text: string }[] | string {
  const { stdout, error } = spawnSync("npm", ["audit", "--json", ...args], {
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  if (error !== undefined) return error.message;
  let answer: unknown;
  try {
    answer = JSON.parse(stdout);
  } catch {
    return "npm gave no report";
  }
  // npm's own exit code is the same for "vulnerable" and "no answer": only a report is an answer.
  if (!Value.Check(Report, answer))
    return Value.Check(Failure, answer) ? answer.message : "npm gave no report";
  const rank = (severity: string): number => Array.from<string>(severities).indexOf(severity);
  return Object.values(answer.vulnerabilities)
    .map(({ name, severity, range }) => ({ severity, text: `  ${severity}: ${name} ${range}` }))
    .sort((a, b) => rank(a.severity) - rank(b.severity) || (a.text < b.text ? -1 : 1));
}

function tell(what: string, found: ReturnType<typeof audit>): void {
  if (typeof found === "string") console.error(`${what}: could not be checked: ${found}`);
  else if (found.length === 0) console.log(`${what}: no known vulnerability`);
  else console.log([`${what}: ${found.length} vulnerable`, ...found.map(({ text }) => text)].join("\n"));
}

const shipped = audit(["--omit=dev"]);
tell("shipped packages", shipped);
if (typeof shipped === "string") {
  console.error("Nothing is known of them. Ask a registry that answers audit requests before a release.");
  process.exitCode = unchecked;
} else {
  tell("with development tools, for information", audit([]));
  if (shipped.some(({ severity }) => grave.has(severity))) process.exitCode = vulnerable;
}
