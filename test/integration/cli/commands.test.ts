import { spawnSync } from "node:child_process";
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { healthcheckCommand } from "../../../src/cli/commands/healthcheck.ts";

function run(...args: string[]) {
  return spawnSync(process.execPath, ["src/cli/main.ts", ...args], {
    env: { PATH: process.env["PATH"], AUTHKIT_LISTEN_ADDR: "nonsense" },
    encoding: "utf8",
  });
}

test("version", () => {
  const { status, stdout } = run("version");
  expect(status).toBe(0);
  expect(stdout).toMatch(/^authkit-server \d+\.\d+\.\d+ \(Node v?\d+\.\d+\.\d+\)\n$/);
});

test("an empty command serves, an unknown one is refused with those there are", () => {
  const served = run("");
  expect(served.status).toBe(1);
  expect(served.stderr).toMatch(/^authkit-server serve: /);
  expect(served.stderr).toContain("AUTHKIT_LISTEN_ADDR");
  const unknown = run("sevre");
  expect(unknown.status).toBe(1);
  expect(unknown.stderr).toMatch(/unknown command "sevre"; there are: serve, migrate,/);
});

test("healthcheck", async () => {
  let status = 200;
  const asked: (string | undefined)[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url);
    response.writeHead(status).end('{"status":"not_ready"}\n');
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  const lines: string[] = [];
  const check = (...args: string[]) =>
    healthcheckCommand(args, { AUTHKIT_ENV: "test", AUTHKIT_LISTEN_ADDR: `:${port}` }, (line) =>
      lines.push(line),
    );
  try {
    expect(await check()).toBe(0);
    status = 503;
    expect(await check()).toBe(1);
    expect(lines).toEqual(['{"status":"not_ready"}']);
    expect(await check("--live")).toBe(1);
    expect(asked).toEqual(["/readyz", "/readyz", "/healthz"]);
  } finally {
    await new Promise((resolve) => server.close(resolve));
  }
  expect(await check()).toBe(1);
  expect(lines.at(-1)).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/readyz: ./);
  expect(await check("--what")).toBe(2);
});
