import { globSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { lazyPackages } from "../../../src/cli/commands/prepare.ts";

/** Loaded only where something else is not to be had. */
const notPrepared = ["argon2"];

const bundler = readFileSync("src/platform/program/bundler.ts", "utf8");
const [, external = ""] = /^const external = \[(.*)\];$/m.exec(bundler) ?? [];

test("prepare knows every package that is loaded late from outside the bundle", () => {
  const late = globSync(["src/**/*.ts", "workers/*.ts"]).flatMap((file) =>
    [...readFileSync(file, "utf8").matchAll(/\bimport\("([^."][^"]*)"\)/g)].map(([, name = ""]) => name),
  );
  expect(external).toContain(`"@node-rs/argon2"`);
  const outside = [...new Set(late)].filter((name) => external.includes(`"${name}"`));
  expect(outside.filter((name) => !notPrepared.includes(name)).sort()).toEqual(lazyPackages.toSorted());
});
