import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { createRemoteClient } from "../../../src/client/index.ts";
import { createForwarder } from "../../../src/management/forwarder.ts";
import { connectChannel } from "../../../src/platform/channel/index.ts";
import { selectHttpEngine } from "../../../src/platform/http/select.ts";
import { silentLog } from "../../../src/platform/log/port.ts";
import { testConfig } from "../../support/config.ts";

async function serverAnswering(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("what is sent: path, verb, headers and exact body", async () => {
  const seen: unknown[] = [];
  const url = await serverAnswering(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, url: path, headers } = request;
    seen.push({
      method,
      path,
      authorization: headers.authorization,
      type: headers["content-type"],
      body: String(Buffer.concat(chunks)),
    });
    response.end('{"result":null}\n');
  });
  await createRemoteClient(`${url}///`, "secret").linkProvider({
    userId: "u",
    provider: "p",
    subject: "<s>",
  });
  expect(seen).toEqual([
    {
      method: "POST",
      path: "/v1/call/LinkProvider",
      authorization: "Bearer secret",
      type: "application/json",
      body: '{"userID":"u","provider":"p","subject":"\\u003cs\\u003e"}',
    },
  ]);
});

test.each([
  [404, "404 page not found\n", "internal_error", "remote: unknown error"],
  [502, "<html>", "internal_error", "remote: unknown error"],
  [307, "", "internal_error", "remote: unknown error"],
  [500, '{"error":{"code":"something_new"}}', "internal_error", "remote: something_new"],
  [
    422,
    `{"error":{"code":"user_not_found","pad":"${"x".repeat(65_536)}"}}`,
    "internal_error",
    "remote: unknown error",
  ],
  [404, '{"error":{"code":"user_not_found"}}\n', "user_not_found", "user_not_found"],
  [401, '{"error":{"code":"unauthorized"}}\n', "unauthorized", "unauthorized"],
])("status %i with %.40j is %s", async (status, body, code, message) => {
  const url = await serverAnswering((_, response) => {
    response.writeHead(status, { Location: "http://127.0.0.1:1/" }).end(body);
  });
  const client = createRemoteClient(url, "t", { retries: 0 });
  await expect(client.getUserByEmail({ email: "a" })).rejects.toMatchObject({ code, message, status });
  expect(await client.verifyUserPassword({ userId: "u", pass: "p" })).toBe(false);
});

test("a success that cannot be read is an error of its own", async () => {
  const url = await serverAnswering((_, response) => void response.end('{"result":"5"}'));
  const client = createRemoteClient(url, "t");
  await expect(client.adminCountUsers({ opts: {} })).rejects.toThrow(/integer|number/);
});

test("a server that is not there", async () => {
  const client = createRemoteClient("http://127.0.0.1:1", "t", { retries: 1 });
  await expect(client.adminGetUser({ id: "u" })).rejects.toMatchObject({
    code: "service_unavailable",
    message: "remote: not reachable",
  });
  expect(await client.listEntitlements({ userId: "u" })).toBeNull();
});

test("connections cut: reads are repeated, changes are not", async () => {
  let requests = 0;
  const url = await serverAnswering((request, response) => {
    requests += 1;
    if (requests < 3) request.socket.destroy();
    else response.end('{"result":5}');
  });
  const client = createRemoteClient(url, "t");
  expect(await client.adminCountUsers({ opts: {} })).toBe(5);
  expect(requests).toBe(3);
  requests = 0;
  await expect(client.setEmailVerified({ id: "u", v: true })).rejects.toMatchObject({
    code: "service_unavailable",
  });
  expect(requests).toBe(1);
});

test("the later generation's shapes", async () => {
  const url = await serverAnswering(
    (_, response) => void response.end('{"result":{"u1":{"ID":"u1","Username":"n","Email":"e"}}}'),
  );
  const client = createRemoteClient(url, "t", { contract: "0.97" });
  const users = await client.usersByIds({ ids: ["u1"] });
  expect(users["u1"]?.username).toBe("n");
});

test("an http worker without a management worker answers 503 with Retry-After", async () => {
  const channel = connectChannel([join(tmpdir(), "authkit-nobody-serves.sock")], { timeoutMs: 100 });
  const limits = { check: () => Promise.resolve(undefined) };
  const engine = await selectHttpEngine("auto", {}, silentLog);
  const forwarder = createForwarder({
    channel,
    config: testConfig(),
    log: silentLog,
    limits,
    clientIp: () => undefined,
  });
  const listener = await engine.listen({ host: "127.0.0.1", port: 0 }, forwarder);
  onTestFinished(async () => {
    await channel.close();
    await listener.drain({ lingerMs: 0, timeoutMs: 500 });
  });
  const response = await fetch(`http://127.0.0.1:${listener.port}/v1/call/HasEmailSender`, {
    method: "POST",
    headers: { Authorization: "Bearer test-management-token" },
  });
  expect(response.status).toBe(503);
  expect(response.headers.get("retry-after")).toBe("1");
  expect(await response.text()).toBe('{"error":{"code":"service_unavailable"}}\n');
});
