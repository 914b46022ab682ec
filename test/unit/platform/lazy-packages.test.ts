import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { lazyPackages } from "../../../src/cli/commands/prepare.ts";
import { external } from "../../../src/platform/program/make.ts";

/** Loaded only where something else is not to be had, or is not installed with the program. */
const notPrepared = ["argon2"];
/** Makes the bundle, and is not needed afterwards. */
const bundler = "rolldown";

test("prepare knows every package that is loaded late from outside the bundle", () => {
  const late = globSync(["src/**/*.ts", "workers/*.ts"]).flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\bimport\("([^."][^"]*)"\)/g)].map(([, name = ""]) => name),
  );
  const outside = [...new Set(late)].filter((name) => external.includes(name) && name !== bundler);
  expect(outside.filter((name) => !notPrepared.includes(name)).sort()).toEqual(lazyPackages.toSorted());
});
