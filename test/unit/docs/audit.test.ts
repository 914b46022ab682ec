import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = join(import.meta.dirname, "../../..");

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function audit(env: Readonly<Record<string, string>>): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = execFile(
      process.execPath,
      ["bin/audit.ts"],
      { cwd: root, env: { ...process.env, ...env } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

describe("by what npm reports", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "authkit-audit-"));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  /** Puts an npm first that answers like this, the second time for the whole tree. */
  async function reporting(shipped: string, all = shipped): Promise<Outcome> {
    const npm = join(directory, "npm");
    await writeFile(join(directory, "shipped.json"), shipped);
    await writeFile(join(directory, "all.json"), all);
    await writeFile(
      npm,
      `#!/bin/sh\ncase "$*" in *--omit=dev*) cat "${directory}/shipped.json" ;; *) cat "${directory}/all.json" ;; esac\nexit 1\n`,
    );
    await chmod(npm, 0o755);
    return audit({ PATH: `${directory}${delimiter}${process.env["PATH"]}` });
  }
  const report = (...found: readonly (readonly [string, string])[]): string =>
    JSON.stringify({
      auditReportVersion: 2,
      vulnerabilities: Object.fromEntries(
        found.map(([name, severity]) => [name, { name, severity, range: "<2" }]),
      ),
    });

  test("something grave among what is shipped", async () => {
    const { code, stdout } = await reporting(report(["one", "low"], ["other", "moderate"]));
    expect(code).toBe(1);
    expect(stdout).toMatch(/^shipped packages: 2 vulnerable\n {2}moderate: other <2\n {2}low: one <2\n/);
  });

  test("something slight, or grave among the tools of development alone", async () => {
    expect((await reporting(report(["one", "low"]))).code).toBe(0);
    const { code, stdout } = await reporting(report(), report(["tool", "critical"]));
    expect(code).toBe(0);
    expect(stdout).toContain("shipped packages: no known vulnerability\n");
    expect(stdout).toContain("for information: 1 vulnerable\n  critical: tool <2");
  });

  test.each(["", "{}", '{"message":"no such endpoint","error":{}}', '{"auditReportVersion":2}'])(
    "what is no report (%j) is no answer",
    async (text) => {
      const { code, stderr } = await reporting(text);
      expect(code).toBe(3);
      expect(stderr).toContain("shipped packages: could not be checked");
    },
  );
});

describe("by what a registry answers npm", () => {
  /** A registry that answers audit requests like this, and nothing else. */
  async function asked(status: number, body: string): Promise<Outcome> {
    const server = createServer((request, response) => {
      request.resume();
      response.writeHead(request.method === "POST" ? status : 404, { "content-type": "application/json" });
      response.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    try {
      return await audit({ npm_config_registry: `http://127.0.0.1:${port}/`, npm_config_fetch_retries: "0" });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  test("it knows of nothing", async () => {
    expect(await asked(200, "{}")).toMatchObject({ code: 0, stdout: expect.stringContaining("no known") });
  }, 120_000);

  test.each([405, 500])(
    "it answers %i: that is not the same as nothing known",
    async (status) => {
      const { code, stderr } = await asked(status, "{}");
      expect(code).toBe(3);
      expect(stderr).toContain(`could not be checked: ${status}`);
    },
    120_000,
  );
});
