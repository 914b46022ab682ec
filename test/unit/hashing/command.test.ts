import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "authkit-hash-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const script = `
  import { hashCommand } from ${JSON.stringify(new URL("../../../src/cli/hash.ts", import.meta.url).href)};
  process.exitCode = await hashCommand(process.argv.slice(1));`;

function run(args: readonly string[], input = ""): Promise<{ code: unknown; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ["--input-type=module", "-e", script, "--", ...args],
      (error, out, err) => resolve({ code: error?.code ?? 0, out, err }),
    );
    child.stdin?.end(input);
  });
}

describe("the hash command", () => {
  // openssl passwd -6 -salt opensslSALT secret
  const sha512 =
    "$6$opensslSALT$ycBUEixnSKNr86avslpHIc/6ZFN9XA/SkC.EZ19qijKW4STlKJrA.vz0a6Z43osr2Mgc8NfdPhM3c58NV6yzZ1";

  it("verifies a hash against a password from standard input", async () => {
    expect(await run(["verify", "--algo", "sha512-crypt", sha512], "secret\n")).toMatchObject({
      code: 0,
      out: "match\n",
    });
    expect(await run(["verify", "--algo", "sha512-crypt", sha512], "wrong\n")).toMatchObject({
      code: 1,
      out: "no match\n",
    });
    const unknown = await run(["verify", "--algo", "rot13", "x"]);
    expect(unknown).toMatchObject({ code: 1, out: "" });
    expect(unknown.err).toMatch(/^unsupported_hash_algo \(known: argon2id, /);
    expect(await run(["verify", "--algo", "bcrypt", "x"])).toMatchObject({ code: 1, err: "invalid_hash\n" });
  });

  it("builds a filter and looks into it", async () => {
    const list = join(directory, "list.txt");
    const filter = join(directory, "list.bloom");
    await writeFile(list, "one password\nanother password\n");
    const built = await run(["breached-filter", "build", "--false-positive-rate", "0.000001", list, filter]);
    expect(built).toMatchObject({ code: 0, out: expect.stringContaining("2 passwords in ") });
    expect(await run(["breached-filter", "check", filter], "one password\n")).toMatchObject({
      code: 1,
      out: "found\n",
    });
    expect(await run(["breached-filter", "check", filter], "a third one")).toMatchObject({
      code: 0,
      out: "not found\n",
    });
    expect(await run(["breached-filter", list])).toMatchObject({
      code: 0,
      out: expect.stringContaining(`${list}.bloom: 2`),
    });
  });

  it("recommends parameters within the time given", async () => {
    const { code, out } = await run(["calibrate", "--target-ms", "5000"]);
    expect(code).toBe(0);
    expect(out).toContain("AUTHKIT_ARGON2=m=262144,t=3,p=1");
    expect(await run(["calibrate", "--target-ms", "0.01"])).toMatchObject({ code: 1 });
    expect((await run(["calibrate", "--target-ms", "soon"])).err).toContain("must be a positive number");
  });

  it("explains itself", async () => {
    expect(await run(["--help"])).toMatchObject({ code: 0, out: expect.stringContaining("calibrate") });
    expect(await run(["something"])).toMatchObject({ code: 2, err: expect.stringContaining("Usage:") });
    expect(await run(["verify"])).toMatchObject({ code: 2 });
  });
});
