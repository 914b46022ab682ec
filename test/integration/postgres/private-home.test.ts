import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { prepareAccount } from "../../../src/platform/postgres/embedded-account.ts";

let home: string;
let program: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "authkit-home-"));
  await chmod(home, 0o700);
  program = join(home, "initdb");
  await writeFile(program, "#!/bin/sh\n", { mode: 0o755 });
});
afterAll(() => rm(home, { recursive: true, force: true }));

const asRoot = process.getuid?.() === 0;

test("in a tree that only root may enter, PostgreSQL runs as nobody important and still finds its programs", async () => {
  const account = await prepareAccount(join(home, "state"), [program]);
  if (!asRoot) {
    // Whoever is not root runs it as himself and can reach his own home.
    expect(account).toEqual({ uid: undefined, gid: undefined, launcher: [] });
    return;
  }
  const [command = "", ...launcher] = account.launcher;
  const look = `const fs = require("node:fs"); fs.accessSync(${JSON.stringify(program)}, fs.constants.X_OK); console.log(process.getuid())`;
  const said = execFileSync(command, [...launcher, process.execPath, "-e", look], { encoding: "utf8" });
  expect(Number(said)).toBe((await stat(join(home, "state"))).uid);
  expect(Number(said)).not.toBe(0);
});
