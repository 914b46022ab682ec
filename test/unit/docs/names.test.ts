import { spawnSync } from "node:child_process";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { commands } from "../../../src/cli/commands.ts";
import { knownNames } from "../../../src/config/read-environment.ts";
import { retired } from "../../../src/config/variables.ts";

const root = join(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(join(root, file), "utf8");
const pages = globSync(["*.md", "docs/*.md"], { cwd: root }).sort();
const source = globSync(["src/**/*.ts", "workers/**/*.ts"], { cwd: root }).sort();
const known = knownNames();

function variablesIn(text: string): string[] {
  const names = text.matchAll(
    /(?<![A-Z0-9_])(?:AUTHKIT_[A-Z0-9_]*[A-Z0-9]|(?:DB|DATABASE)_URL(?:_FILE)?)\b(?!_?\*)/g,
  );
  return [...new Set([...names].map(([name]) => name))];
}

test.each(pages)("%s names only variables that exist", (page) => {
  expect(variablesIn(read(page)).filter((name) => !known.has(name))).toEqual([]);
});

test("messages and comments of the program name only variables that exist, or the beginning of several", () => {
  /** Of the program's own processes, of the browser page that ends a provider sign-in, and one that stands for any. */
  const others = new Set(["AUTHKIT_WORKER", "AUTHKIT_OIDC_RESULT", "AUTHKIT_OIDC_ERROR", "AUTHKIT_X"]);
  const unknown = source.flatMap((file) =>
    variablesIn(read(file))
      .filter((name) => !known.has(name) && !others.has(name) && !Object.hasOwn(retired, name))
      .filter((name) => ![...known].some((one) => one.startsWith(`${name}_`)))
      .map((name) => `${file}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

/** `authkit-server …` wherever it stands, and code spans that begin with the name of a command. */
function commandLines(page: string): string[] {
  const text = page.replaceAll("\\|", "|");
  const spans = [...text.matchAll(/`([^`\n]+)`/g)].map(([, span = ""]) => span);
  const blocks = [...text.matchAll(/^```\w*\n([\s\S]*?)^```/gm)].flatMap(([, block = ""]) =>
    block.split("\n"),
  );
  const named = [...spans, ...blocks].flatMap(
    (line) => /(?:^|\s)authkit-server ([a-z].*)/.exec(line)?.[1]?.replace(/\s+#.*/, "") ?? [],
  );
  const bare = spans.filter((span) => Object.hasOwn(commands, span.split(" ")[0] ?? ""));
  return [...new Set([...named, ...bare])];
}

describe("commands", () => {
  const usages = new Map<string, string>();
  const named = [...pages, "deploy/docker/compose.yaml", "deploy/systemd/authkit-server.service"].flatMap(
    (page) => commandLines(read(page)).map((line) => ({ page, line })),
  );

  function usageOf(command: string): string {
    const made = usages.get(command);
    if (made !== undefined) return made;
    const { stdout } = spawnSync(process.execPath, ["src/cli/main.ts", command, "--help"], {
      cwd: root,
      encoding: "utf8",
    });
    usages.set(command, stdout);
    return stdout;
  }

  beforeAll(() => {
    for (const { line } of named) {
      const [command = "", next] = line.split(" ");
      if (next !== undefined && Object.hasOwn(commands, command)) usageOf(command);
    }
  }, 120_000);

  test("are found", () => {
    expect(named.length).toBeGreaterThan(30);
  });

  test.each(named)("$page: “$line” exists", ({ line }) => {
    const [command = "", ...rest] = line.split(" ");
    expect(Object.keys(commands)).toContain(command);
    const words = rest
      .join(" ")
      .replaceAll(/[[\]]/g, "")
      .split(/[\s|]+/);
    const usage = new Set(usages.get(command)?.split(/[\s[\]|,]+/) ?? []);
    for (const option of words.filter((word) => word.startsWith("-"))) expect(usage).toContain(option);
    const subcommands =
      /^[a-z]+(?:\|[a-z]+)*$/.exec(rest[0]?.replaceAll(/[[\]]/g, "") ?? "")?.[0].split("|") ?? [];
    for (const word of subcommands) expect(usage).toContain(word);
  });
});

test("npm scripts that are named exist", () => {
  const { scripts }: { scripts: Readonly<Record<string, string>> } = JSON.parse(read("package.json"));
  const texts = [
    ...pages,
    ...source,
    ...globSync(["bin/*", "deploy/**/*.*", "bench/**/*.ts"], { cwd: root }),
  ];
  const used = texts.flatMap((file) =>
    [...read(file).matchAll(/\bnpm run (?:-\S+ )*([a-z][a-z:-]*)|\bnpm (start|test)\b/g)].map(
      ([, script = "", short = ""]) => script + short,
    ),
  );
  expect(new Set(used).size).toBeGreaterThan(5);
  expect([...new Set(used)].filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
});
