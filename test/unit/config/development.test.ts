import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ensureDevelopmentSecrets, loadConfig, loadProcessConfig } from "../../../src/config/index.ts";
import { production } from "./load.ts";

const run = promisify(execFile);
let directory: string;

beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), "authkit-config-")), "state");
});

afterEach(() => {
  rmSync(join(directory, ".."), { recursive: true, force: true });
});

test("secrets are made once, for the owner's eyes alone, and found again", () => {
  const first = ensureDevelopmentSecrets(directory);
  expect(first.managementToken).toMatch(/^[A-Za-z0-9_-]{43}$/);
  expect(first.codeSecret).toHaveLength(32);
  expect(ensureDevelopmentSecrets(directory)).toEqual(first);
  expect(readdirSync(directory).sort()).toEqual(["code-secret", "management-token"]);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, "management-token")).mode & 0o777).toBe(0o600);
  expect(readFileSync(join(directory, "management-token"), "utf8").trim()).toBe(first.managementToken);
});

test("processes that start at once agree", async () => {
  const module = new URL("../../../src/config/development.ts", import.meta.url).href;
  const script = `const { ensureDevelopmentSecrets } = await import(${JSON.stringify(module)});
    console.log(ensureDevelopmentSecrets(${JSON.stringify(directory)}).managementToken);`;
  const runs = Array.from({ length: 6 }, () => run(process.execPath, ["--input-type=module", "-e", script]));
  const tokens = (await Promise.all(runs)).map(({ stdout }) => stdout.trim());
  expect(new Set(tokens)).toEqual(new Set([ensureDevelopmentSecrets(directory).managementToken]));
  expect(readdirSync(directory).sort()).toEqual(["code-secret", "management-token"]);
});

test("a file the operator emptied is named instead of replaced", () => {
  ensureDevelopmentSecrets(directory);
  writeFileSync(join(directory, "management-token"), "\n");
  expect(() => ensureDevelopmentSecrets(directory)).toThrow(/management-token is empty/);
});

test("a development process has the generated token unless one is configured", () => {
  const { config } = loadProcessConfig({ AUTHKIT_STATE_DIR: directory });
  const { managementToken, codeSecret } = ensureDevelopmentSecrets(directory);
  expect(config.management).toMatchObject({ tokens: [managementToken], open: false });
  expect(config.keys.codeSecret).toEqual(codeSecret);
  expect(
    loadProcessConfig({ AUTHKIT_STATE_DIR: directory, AUTHKIT_MGMT_TOKEN: "mine" }).config.management.tokens,
  ).toEqual(["mine"]);
  const open = {
    AUTHKIT_STATE_DIR: directory,
    AUTHKIT_MGMT_OPEN: "true",
    AUTHKIT_LISTEN_ADDR: "127.0.0.1:8080",
  };
  expect(loadProcessConfig(open).config.management).toMatchObject({ tokens: [], open: true });
});

test("production makes no files, and neither does loading alone", () => {
  loadProcessConfig({ ...production, AUTHKIT_STATE_DIR: directory });
  loadConfig({ AUTHKIT_STATE_DIR: directory });
  expect(() => readdirSync(directory)).toThrow(/ENOENT/);
});
