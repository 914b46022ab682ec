import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { lazyPackages } from "../../../src/cli/commands/prepare.ts";

/** Loaded only where something else is not to be had, or is not installed with the program. */
const notPrepared = ["argon2"];

test("prepare knows every package that is loaded late", () => {
  const late = globSync(["src/**/*.ts", "workers/*.ts"]).flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\bimport\("([^."][^"]*)"\)/g)].map(([, name = ""]) => name),
  );
  expect([...new Set(late)].filter((name) => !notPrepared.includes(name)).sort()).toEqual(
    lazyPackages.toSorted(),
  );
});
