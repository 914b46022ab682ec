import { type IncomingHttpHeaders, request } from "node:http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { AuthError } from "../../../src/contract/errors/index.ts";
import type { AuditEntry } from "../../../src/core/audit/types.ts";
import { createLimits } from "../../../src/core/limits/index.ts";
import type { HandlerTable, ManagementContext } from "../../../src/management/context.ts";
import { createDispatch } from "../../../src/management/dispatch.ts";
import { createFront } from "../../../src/management/front.ts";
import { systemClock } from "../../../src/platform/clock.ts";
import type { HttpListener } from "../../../src/platform/http/engine.ts";
import { selectHttpEngine } from "../../../src/platform/http/select.ts";
import { createMemoryRateLimiter } from "../../../src/platform/limiter/memory.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { createMetrics } from "../../../src/platform/metrics/prometheus.ts";
import { testConfig } from "../../support/config.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const token = "test-management-token";

describe.each(["uws", "node"] as const)("the management API on the %s engine", (engineName) => {
  let listener: HttpListener;
  const audited: AuditEntry[] = [];
  const aborted = Promise.withResolvers<void>();
  let lastContext: ManagementContext | undefined;

  const handlers: HandlerTable = {
    getEmailByUserId: async ({ id }, context) => {
      lastContext = context;
      if (id === "unknown") throw new AuthError("user_not_found");
      if (id === "bug") throw new Error("relation profiles.users does not exist");
      if (id === "busy") throw new AuthError("server_busy", { retryAfter: 2 });
      return `${id}@example.com`;
    },
    adminCountUsers: async () => {
      throw new AuthError("entitlement_filter_unavailable");
    },
    banUser: async ({ userId }) => {
      if (userId === "") throw new AuthError("invalid_user");
    },
    verifyUserPassword: async ({ pass }) => {
      if (pass === "broken") throw new Error("storage");
      return true;
    },
    hasEmailSender: async () => true,
    mintCustomJwt: async ({ opts }) => {
      const claims = { aud: ["workers"], jti: "j-1", ...(opts.subject === "" ? {} : { sub: opts.subject }) };
      return `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.c2ln`;
    },
    cleanupExpiredAuthState: (_, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          aborted.resolve();
          reject(signal.reason);
        });
      }),
  };

  beforeAll(async () => {
    const config = testConfig(
      {},
      { management: { tokens: [token, "next-token"], introspectToken: "introspect" } },
    );
    const metrics = createMetrics("test");
    const limits = createLimits({
      config,
      limiter: createMemoryRateLimiter(systemClock),
      clock: systemClock,
      log: silentLog,
      metrics,
    });
    const audit = {
      record: async (entry: AuditEntry) => {
        audited.push(entry);
      },
    };
    const dispatch = createDispatch({ handlers, config, audit, log: silentLog, metrics });
    const front = createFront({
      config: config.management,
      limits,
      log: silentLog,
      clientIp: (incoming) => incoming.header("x-test-ip") ?? incoming.remoteAddress,
      dispatch,
    });
    const engine = await selectHttpEngine(engineName, {}, silentLog);
    listener = await engine.listen({ host: "127.0.0.1", port: 0 }, front);
  });

  afterAll(() => listener.drain({ lingerMs: 0, timeoutMs: 1_000 }));

  function send(
    method: string,
    path: string,
    body = "",
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: "127.0.0.1",
          port: listener.port,
          method,
          path,
          headers: { Authorization: `Bearer ${token}`, ...headers },
        },
        (incoming) => {
          const chunks: Buffer[] = [];
          incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
          incoming.on("end", () =>
            resolve({
              status: incoming.statusCode ?? 0,
              headers: incoming.headers,
              body: Buffer.concat(chunks).toString("utf8"),
            }),
          );
          incoming.on("error", reject);
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  const call = (name: string, body = "", headers: Record<string, string> = {}): Promise<Answer> =>
    send("POST", `/v1/call/${name}`, body, headers);

  test("a success: exact body and headers, query ignored, name unescaped", async () => {
    for (const path of ["GetEmailByUserID", "GetEmailByUserID?x=1", "Get%45mailByUser%49D"]) {
      const answer = await call(path, '{"ID":"a"}');
      expect(answer).toMatchObject({ status: 200, body: '{"result":"a@example.com"}\n' });
      expect(answer.headers).toMatchObject({
        "content-type": "application/json",
        "cache-control": "no-store",
      });
      expect(answer.headers["x-request-id"]).toBeUndefined();
    }
  });

  test.each([
    ["GET", "/v1/call/CreateUser"],
    ["OPTIONS", "/v1/call/NoSuchMethod"],
    ["PUT", "/v1/call/x%2Fy"],
  ])("%s %s is 405 before anything else", async (verb, path) => {
    const answer = await send(verb, path, "", { Authorization: "" });
    expect(answer).toMatchObject({ status: 405, body: "Method Not Allowed\n" });
    expect(answer.headers).toMatchObject({
      allow: "POST",
      "content-type": "text/plain; charset=utf-8",
      "x-content-type-options": "nosniff",
    });
  });

  test.each(["/v1/call/", "/v1/call/CreateUser/", "/v1/call/Create/User", "/elsewhere"])(
    "%s is the router's 404, whatever the verb",
    async (path) => {
      for (const verb of ["POST", "GET"]) {
        const answer = await send(verb, path, "", { Authorization: "" });
        expect(answer).toMatchObject({ status: 404, body: "404 page not found\n" });
        expect(answer.headers["content-type"]).toBe("text/plain; charset=utf-8");
      }
    },
  );

  test.each([
    ["/v1/call", "/v1/call/"],
    ["/v1/call//CreateUser?a=b", "/v1/call/CreateUser?a=b"],
    ["/v1/call/./CreateUser", "/v1/call/CreateUser"],
    ["//v1/call/CreateUser", "/v1/call/CreateUser"],
    ["/v1/./call/CreateUser", "/v1/call/CreateUser"],
    ["/v1/call/x/../CreateUser", "/v1/call/CreateUser"],
  ])("%s redirects to %s", async (path, location) => {
    const answer = await send("POST", path);
    expect(answer).toMatchObject({ status: 307, headers: { location } });
  });

  test.each(["", "Bearer", "Bearer wrong", `bearer ${token}`, `Bearer  ${token}`, `Bearer ${token}x`, token])(
    "the authorization %j is 401, before the method's name is looked at",
    async (authorization) => {
      for (const name of ["GetEmailByUserID", "NoSuchMethod"]) {
        const answer = await call(name, "not json", {
          Authorization: authorization,
          "x-test-ip": "192.0.2.99",
        });
        expect(answer).toMatchObject({ status: 401, body: '{"error":{"code":"unauthorized"}}\n' });
        expect(answer.headers["www-authenticate"]).toBeUndefined();
      }
    },
  );

  test("a second token serves as well; the introspection token opens its methods only", async () => {
    const next = { Authorization: "Bearer next-token" };
    expect((await call("HasEmailSender", "", next)).status).toBe(200);
    const introspect = { Authorization: "Bearer introspect" };
    expect((await call("GetEmailByUserID", '{"id":"a"}', introspect)).status).toBe(200);
    expect((await call("BanUser", '{"userID":"a"}', introspect)).status).toBe(401);
    expect((await call("NoSuchMethod", "", introspect)).status).toBe(401);
  });

  test("guessing is throttled by address; the right token is served all the same", async () => {
    const headers = { Authorization: "Bearer guess", "x-test-ip": "198.51.100.7" };
    const statuses: number[] = [];
    for (let count = 0; count < 25; count++) statuses.push((await call("CreateUser", "", headers)).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(20);
    const limited = await call("CreateUser", "", headers);
    expect(limited).toMatchObject({ status: 429, body: '{"error":{"code":"rate_limited"}}\n' });
    expect(Number(limited.headers["retry-after"])).toBeGreaterThan(0);
    expect((await call("HasEmailSender", "", { "x-test-ip": "198.51.100.7" })).status).toBe(200);
    expect((await call("CreateUser", "", { Authorization: "x", "x-test-ip": "198.51.100.8" })).status).toBe(
      401,
    );
  });

  test("unknown names are exact", async () => {
    for (const name of ["createuser", "NoSuchMethod", "Create%2FUser", "toString"]) {
      expect(await call(name)).toMatchObject({ status: 404, body: '{"error":{"code":"unknown_method"}}\n' });
    }
  });

  test("bodies: empty, malformed, too large, ignored without arguments", async () => {
    expect((await call("GetEmailByUserID")).body).toBe('{"result":"@example.com"}\n');
    for (const body of ["[]", '{"id":5}', '{"id":"a"} x', '{"id":"\\u0000"}', " "]) {
      expect(await call("GetEmailByUserID", body)).toMatchObject({
        status: 400,
        body: '{"error":{"code":"invalid_request"}}\n',
      });
    }
    const large = `{"id":"a","pad":"${"x".repeat(1_048_576)}"}`;
    expect(await call("GetEmailByUserID", large)).toMatchObject({
      status: 413,
      body: '{"error":{"code":"request_too_large"}}\n',
    });
    expect((await call("HasEmailSender", "garbage {")).body).toBe('{"result":true}\n');
    expect((await call("ImportUsers", large)).status).toBe(501);
  });

  test("refusals, faults and methods not built", async () => {
    expect(await call("GetEmailByUserID", '{"id":"unknown"}')).toMatchObject({
      status: 422,
      body: '{"error":{"code":"user_not_found"}}\n',
    });
    const fault = await call("GetEmailByUserID", '{"id":"bug"}', { "x-request-id": "request-0001" });
    expect(fault).toMatchObject({ status: 500, body: '{"error":{"code":"internal_error"}}\n' });
    expect(fault.headers["x-request-id"]).toBe("request-0001");
    const busy = await call("GetEmailByUserID", '{"id":"busy"}');
    expect(busy).toMatchObject({ status: 503, headers: { "retry-after": "2" } });
    expect((await call("CreateUser")).body).toBe('{"error":{"code":"not_implemented"}}\n');
    expect((await call("AdminCountUsers")).body).toBe(
      '{"error":{"code":"authkit: entitlement filtering requires an EntitlementFilterProvider"}}\n',
    );
  });

  test("methods the contract knows no failure of answer their zero value", async () => {
    expect(await call("VerifyUserPassword", '{"pass":"x"}')).toMatchObject({
      status: 200,
      body: '{"result":true}\n',
    });
    expect(await call("VerifyUserPassword", '{"pass":"broken"}')).toMatchObject({
      status: 200,
      body: '{"result":false}\n',
    });
    expect((await call("VerifyUserPassword", "[]")).status).toBe(400);
  });

  test("mutating calls leave one audit row each, reads none", async () => {
    audited.length = 0;
    await call("GetEmailByUserID", '{"id":"a"}');
    await call("BanUser", '{"userID":"u1"}');
    await call("BanUser");
    await call("BanUser", "[]");
    expect(audited).toEqual([
      { action: "management.called", target: "user:u1", outcome: "ok", details: { method: "BanUser" } },
      {
        action: "management.called",
        target: undefined,
        outcome: "invalid_user",
        details: { method: "BanUser" },
      },
    ]);
  });

  test("a token made leaves a second row that says for whom and for what, never the token", async () => {
    audited.length = 0;
    await call("MintCustomJWT", '{"opts":{"Subject":"job-77"}}');
    await call("MintCustomJWT", '{"opts":{}}');
    const minted = audited.filter(({ action }) => action === "token.minted");
    const details = { method: "MintCustomJWT", audience: ["workers"], jti: "j-1" };
    expect(minted).toEqual([
      {
        action: "token.minted",
        target: "subject:job-77",
        outcome: "ok",
        details: { ...details, subject: "job-77" },
      },
      { action: "token.minted", target: undefined, outcome: "ok", details },
    ]);
    expect(audited).toHaveLength(4);
  });

  test("a handler learns who called", async () => {
    await call("GetEmailByUserID", '{"id":"a"}', { "user-agent": "tests", "x-test-ip": "192.0.2.1" });
    expect(lastContext).toMatchObject({
      ip: "192.0.2.1",
      generation: "0.73",
      callContext: { actor: "management", userAgent: "tests", ip: "192.0.2.1" },
    });
  });

  test("a client that leaves aborts the handler", async () => {
    const outgoing = request({
      host: "127.0.0.1",
      port: listener.port,
      method: "POST",
      path: "/v1/call/CleanupExpiredAuthState",
      headers: { Authorization: `Bearer ${token}` },
    });
    outgoing.on("error", () => undefined);
    outgoing.end();
    setTimeout(() => outgoing.destroy(), 100);
    await aborted.promise;
  });
});
