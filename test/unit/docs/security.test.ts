import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");
const page = readFileSync(join(root, "docs/security.md"), "utf8");
const named = [...page.matchAll(/`(test\/[^`]+)` “([^”]+)”/g)].map(([, file = "", title = ""]) => ({
  file,
  title,
}));

test("the security page names tests for every requirement and every flaw", () => {
  expect(named.length).toBeGreaterThan(60);
  for (let row = 1; row <= 25; row++) expect(page).toMatch(new RegExp(`^\\| ${row} \\| .*“`, "m"));
});

test.each(named)("$file has “$title”", ({ file, title }) => {
  expect(readFileSync(join(root, file), "utf8")).toContain(title);
});
