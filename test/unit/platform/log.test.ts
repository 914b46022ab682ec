import { describe, expect, it } from "vitest";
import { AuthError } from "../../../src/contract/errors/index.ts";
import { createLog } from "../../../src/platform/log/pino.ts";

function collect(level: "debug" | "info" = "debug", pretty = false) {
  const lines: string[] = [];
  const log = createLog({ level, pretty }, { worker: "http-1", write: (line) => lines.push(line) });
  return { log, lines, last: (): Record<string, unknown> => JSON.parse(lines.at(-1) ?? "{}") };
}

describe("lines", () => {
  it("are JSON with time, level, process and the fields given", () => {
    const { log, lines, last } = collect();
    log.child({ request_id: "r1" }).info({ status: 200 }, "request");
    expect(last()).toEqual({
      level: "info",
      ts: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      pid: process.pid,
      worker: "http-1",
      request_id: "r1",
      status: 200,
      msg: "request",
    });
    expect(lines[0]?.endsWith("}\n")).toBe(true);
  });
  it("below the level are not written", () => {
    const { log, lines } = collect("info");
    log.debug({}, "quiet");
    log.warn({}, "loud");
    expect(lines).toHaveLength(1);
  });
  it("for a terminal name time, level, message, fields and the error", () => {
    const { log, lines } = collect("debug", true);
    log.error({ port: 8080, err: new Error("no such file", { cause: new Error("inner") }) }, "start failed");
    const plain = (lines[0] ?? "").replaceAll(/\u001b\[\d+m/g, "");
    expect(plain).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} ERROR http-1 {4} start failed port=8080\n {2}Error: no such file\n/,
    );
    expect(plain).toContain("caused by\n  Error: inner");
  });
});

describe("redaction", () => {
  it("masks secrets by name at any depth", () => {
    const { log, lines, last } = collect();
    const secret = "hunter2-hunter2";
    log.info(
      {
        password: secret,
        current_password: secret,
        headers: { Authorization: `Bearer ${secret}`, "set-cookie": [secret], "X-Api-Key": secret },
        nested: [{ refresh_token: secret, clientSecret: secret, privateKey: secret }],
        token_type: "Bearer",
        empty: { token: undefined, secret: null },
      },
      "secrets",
    );
    expect(lines[0]).not.toContain(secret);
    expect(last()).toMatchObject({
      password: "[redacted]",
      headers: { Authorization: "[redacted]", "set-cookie": "[redacted]" },
      nested: [{ refresh_token: "[redacted]", clientSecret: "[redacted]", privateKey: "[redacted]" }],
      token_type: "Bearer",
      empty: { secret: null },
    });
  });
  it("masks one-time codes and keeps error codes", () => {
    const { log, last } = collect();
    log.info(
      {
        a: { code: "123456" },
        b: { code: "ABCD-EFGH" },
        c: { code: "rate_limited" },
        d: { code: "ECONNREFUSED" },
        e: { code: 987654 },
      },
      "codes",
    );
    expect(last()).toMatchObject({
      a: { code: "[redacted]" },
      b: { code: "[redacted]" },
      c: { code: "rate_limited" },
      d: { code: "ECONNREFUSED" },
      e: { code: "[redacted]" },
    });
  });
  it("masks addresses, numbers, tokens and credentials inside texts and the message", () => {
    const { log, lines, last } = collect();
    const jwt = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl";
    log.info(
      {
        who: "alice.smith+x@mail.example.com",
        phone: "call +4915112345678 now",
        url: "postgres://app:s3cret@db.example:5432/app",
        header: `Bearer abcdefghijklmnop`,
        text: `got ${jwt}`,
      },
      "mail to bob@example.org",
    );
    expect(last()).toMatchObject({
      who: "a***@mail.example.com",
      phone: "call +***78 now",
      url: "postgres://[redacted]@db.example:5432/app",
      header: "Bearer [redacted]",
      text: "got [redacted]",
      msg: "mail to b***@example.org",
    });
    expect(lines[0]).not.toMatch(/s3cret|smith|bob@|491511/);
  });
  it("describes errors with causes, without values of statements", () => {
    const { log, lines, last } = collect();
    const database = Object.assign(new Error('invalid input syntax for type uuid: "secret-value"'), {
      severity: "ERROR",
      code: "22P02",
      detail: "Key (email)=(alice@example.com)",
      where: "$1 = 'secret-value'",
      table: "users",
    });
    log.error({ err: new AuthError("service_unavailable", { cause: database }) }, "failed");
    expect(lines[0]).not.toMatch(/secret-value|alice/);
    expect(last()["err"]).toMatchObject({
      type: "AuthError",
      message: "service_unavailable",
      code: "service_unavailable",
      stack: expect.stringContaining("at "),
      cause: { type: "Error", message: "invalid input syntax for type uuid", code: "22P02", table: "users" },
    });
  });
  it("copes with cycles, bytes, dates, big numbers and depth", () => {
    const { log, last } = collect();
    const cycle: Record<string, unknown> = { name: "x", at: new Date(0), key: Buffer.from("secret"), n: 10n };
    cycle["self"] = cycle;
    let deep: object = {};
    for (let i = 0; i < 20; i++) deep = { deep };
    log.info({ cycle, deep }, "odd");
    expect(last()["cycle"]).toEqual({
      name: "x",
      at: "1970-01-01T00:00:00.000Z",
      key: "[6 bytes]",
      n: "10",
      self: "[…]",
    });
  });
});
