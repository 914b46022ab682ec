import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { variables } from "../../../src/config/variables.ts";

const environmentVariables = Object.values(variables).map(({ name }) => name);

const root = join(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(join(root, "deploy", file), "utf8");
const unit = read("systemd/authkit-server.service");
const dockerfile = read("docker/Dockerfile");

test.each([
  ["systemd/authkit-server.service", unit],
  ["docker/Dockerfile", dockerfile],
  ["docker/compose.yaml", read("docker/compose.yaml")],
  ["kubernetes/…/_pod.tpl", read("kubernetes/authkit-server/templates/_pod.tpl")],
])("%s sets only variables that exist", (_, text) => {
  const used = [...text.matchAll(/\b(AUTHKIT_[A-Z0-9_]+|DB_URL(?:_FILE)?)\b/g)].map(([name]) => name);
  expect(used).not.toEqual([]);
  for (const name of used) expect(environmentVariables).toContain(name.replace(/_FILE$/, ""));
});

test("a reload resets no connection: each artefact sets or offers tcp_migrate_req", () => {
  expect(read("systemd/60-authkit.conf")).toMatch(/^net\.ipv4\.tcp_migrate_req = 1$/m);
  expect(parse(read("docker/compose.yaml")).services.authkit.sysctls).toEqual({
    "net.ipv4.tcp_migrate_req": "1",
  });
  expect(read("kubernetes/authkit-server/values.yaml")).toMatch(/^tcpMigrateRequests: false$/m);
});

describe("the image", () => {
  test("has the prebuilt hash functions, which npm counts as optional", () => {
    expect(dockerfile).not.toContain("--omit=optional");
    expect(dockerfile).toContain(`require("@node-rs/argon2"); require("@node-rs/bcrypt")`);
  });

  test("runs as nobody, knows how to tell its health, and lets no package run a script", () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
    expect(last).toMatch(/^USER 65532:65532$/m);
    expect(last).toMatch(/^HEALTHCHECK /m);
    for (const [line] of dockerfile.matchAll(/npm (?:ci|install)[^\n]*/g))
      expect(line).toContain("--ignore-scripts");
  });

  test("compose runs it read-only and without capabilities", () => {
    expect(parse(read("docker/compose.yaml")).services.authkit).toMatchObject({
      read_only: true,
      cap_drop: ["ALL"],
      security_opt: ["no-new-privileges:true"],
    });
  });
});

describe("the unit", () => {
  test("reloads by rolling replacement and waits longer than a drain takes", () => {
    expect(unit).toMatch(/^ExecReload=\/bin\/kill -HUP \$MAINPID$/m);
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThan(22);
  });

  const analyze = spawnSync(
    "systemd-analyze",
    ["security", "--offline=true", "deploy/systemd/authkit-server.service"],
    {
      cwd: root,
      encoding: "utf8",
    },
  );
  const known = analyze.status !== null;

  test(`is as tight as it says (${known ? "measured" : "systemd-analyze is not installed: the settings alone are looked at"})`, () => {
    for (const line of [
      "NoNewPrivileges=yes",
      "ProtectSystem=strict",
      "CapabilityBoundingSet=",
      "PrivateDevices=yes",
    ])
      expect(unit.split("\n")).toContain(line);
    if (!known) return;
    const said = /: (\d\.\d)\. What is left/.exec(unit)?.[1];
    const measured = /exposure level for .*: (\d+\.\d)/.exec(analyze.stdout)?.[1];
    // Other releases of systemd weigh a little differently.
    expect(Number(measured), analyze.stdout).toBeLessThanOrEqual(Number(said) + 0.3);
  });
});
