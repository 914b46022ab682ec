import { execFile } from "node:child_process";
import { copyFile, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../../..");
const compiler = join(root, "node_modules/.bin/tsc");
let directory: string;

/** The built package as an application has it: `dist` and `package.json` under `node_modules`, and nothing else of ours. */
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "authkit-package-"));
  const installed = join(directory, "node_modules/authkit-server");
  await mkdir(installed, { recursive: true });
  await copyFile(join(root, "package.json"), join(installed, "package.json"));
  await run(compiler, ["-p", "tsconfig.build.json", "--outDir", join(installed, "dist")], { cwd: root });
  await writeFile(join(directory, "package.json"), '{"type":"module"}');
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const application = `
import { createVerifier, entitlement, nodeAuth, type Principal } from "authkit-server/verify";
import { createTestIssuer } from "authkit-server/verify/testing";

const issuer = await createTestIssuer();
const verifier = createVerifier({ issuers: [{ issuer: issuer.issuer, audiences: [issuer.audience] }] });
const principal: Principal = await verifier.verify(issuer.userToken("u1"));
if (principal.kind === "user") console.log(principal.userId, typeof nodeAuth(verifier).required, typeof entitlement);
await issuer.close();
`;

test("the built package runs and type-checks in an application that has nothing else of ours", async () => {
  await writeFile(join(directory, "app.ts"), application);
  const { stdout } = await run(process.execPath, ["app.ts"], { cwd: directory });
  expect(stdout).toBe("u1 function function\n");
  await mkdir(join(directory, "node_modules/@types"));
  await symlink(join(root, "node_modules/@types/node"), join(directory, "node_modules/@types/node"));
  await symlink(join(root, "node_modules/undici-types"), join(directory, "node_modules/undici-types"));
  const options = [
    "--noEmit",
    "--strict",
    "--target",
    "es2024",
    "--module",
    "nodenext",
    "--types",
    "node",
    "app.ts",
  ];
  await run(compiler, options, { cwd: directory });
});
