import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { silentLog } from "../../../src/platform/log/port.ts";
import { serviceManager } from "../../../src/platform/service-manager.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "authkit-notify-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** What was sent, one message a line. */
function sent(): string[] {
  const record = join(directory, "sent");
  return existsSync(record) ? readFileSync(record, "utf8").trimEnd().split("\n") : [];
}

async function untilSent(pattern: RegExp, seconds = 20): Promise<string[]> {
  for (let n = 0; n < seconds * 20 && !sent().some((line) => pattern.test(line)); n++) await delay(50);
  return sent();
}

describe("through a program that records", () => {
  /** The environment that systemd gives, with a `systemd-notify` that writes down what it is to send. */
  function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    const program = `#!/bin/sh\necho "$*" >> "${join(directory, "sent")}"\n`;
    writeFileSync(join(directory, "systemd-notify"), program, { mode: 0o755 });
    return {
      PATH: `${directory}:${process.env["PATH"]}`,
      NOTIFY_SOCKET: join(directory, "notify"),
      ...more,
    };
  }

  test("nobody is told who did not ask", () => {
    expect(serviceManager({}, silentLog)).toBeUndefined();
    expect(serviceManager({ NOTIFY_SOCKET: "" }, silentLog)).toBeUndefined();
  });

  test("messages arrive in their order", async () => {
    const manager = serviceManager(environment(), silentLog);
    manager?.ready("serving on port 8080");
    manager?.reloading();
    manager?.ready("serving on port 8080");
    manager?.stopping();
    const lines = await untilSent(/^STOPPING=1/);
    expect(lines.map((line) => line.split(" ")[0])).toEqual([
      "READY=1",
      "RELOADING=1",
      "READY=1",
      "STOPPING=1",
    ]);
    expect(lines[0]).toBe("READY=1 STATUS=serving on port 8080");
    expect(lines[1]).toMatch(/^RELOADING=1 MONOTONIC_USEC=\d+ /);
  });

  test("the watchdog is fed while there is life, and not beyond", async () => {
    let alive = true;
    const manager = serviceManager(environment({ WATCHDOG_USEC: "200000" }), silentLog);
    const end = manager?.watch(async () => alive);
    await untilSent(/^WATCHDOG=1$/);
    alive = false;
    await delay(1_000);
    const fed = sent().length;
    expect(fed).toBeGreaterThan(0);
    await delay(500);
    expect(sent()).toHaveLength(fed);
    end?.();
  });

  test.each([
    ["there is none", {}],
    ["it is another process's", { WATCHDOG_USEC: "100000", WATCHDOG_PID: "1" }],
  ])("no watchdog is fed when %s", async (_, more) => {
    const end = serviceManager(environment(more), silentLog, 4711)?.watch(async () => true);
    await delay(300);
    expect(sent()).toEqual([]);
    end?.();
  });

  test("a message that cannot be sent harms nothing", async () => {
    const warnings: unknown[] = [];
    const log = { ...silentLog, warn: (fields: object) => void warnings.push(fields) };
    const manager = serviceManager({ ...environment(), PATH: "/nonexistent" }, log);
    manager?.ready("serving");
    for (let n = 0; n < 200 && warnings.length === 0; n++) await delay(50);
    expect(warnings).toMatchObject([{ states: ["READY=1", "STATUS=serving"] }]);
  });
});

const real = ["perl", "systemd-notify"].every(
  (program) => spawnSync(program, ["--version"], { stdio: "ignore" }).status === 0,
);

describe(`over a socket (${real ? "systemd-notify" : "perl or systemd-notify is missing: left out"})`, () => {
  let receiver: ChildProcess | undefined;
  afterEach(() => receiver?.kill("SIGKILL"));

  test.runIf(real)("what systemd would receive", async () => {
    const socket = join(directory, "notify");
    const program = `socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; bind(S, pack_sockaddr_un($ARGV[0])) or die;
      open(O, ">>", $ARGV[1]); select(O); $| = 1;
      while (defined recv(S, $b, 4096, 0)) { $b =~ s/\\n/ /g; print O "$b\\n" }`;
    receiver = spawn("perl", ["-MSocket", "-e", program, socket, join(directory, "sent")]);
    for (let n = 0; n < 200 && !existsSync(socket); n++) await delay(50);
    const manager = serviceManager({ PATH: process.env["PATH"], NOTIFY_SOCKET: socket }, silentLog);
    manager?.ready("serving on port 1");
    expect((await untilSent(/READY=1/))[0]).toMatch(/^READY=1 STATUS=serving on port 1/);
    manager?.stopping();
    expect((await untilSent(/STOPPING=1/)).join("\n")).toMatch(/^STOPPING=1 STATUS=draining/m);
  });
});
