import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { DeliveryRefused } from "../../../src/platform/delivery.ts";
import { createWebhookMailSender } from "../../../src/platform/mail/webhook.ts";
import { createWebhookSmsSender } from "../../../src/platform/sms/webhook.ts";

const secret = "shared-webhook-secret";
let server: Server;
let url: string;
let status = 204;
let received: { headers: IncomingHttpHeaders; body: string }[] = [];

beforeEach(async () => {
  received = [];
  status = 204;
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({ headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}/hook`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const mail = {
  to: "ana@example.com",
  subject: "Hi",
  text: "Ünïcode 123456",
  html: "<p>123456</p>",
  categories: ["auth", "welcome"],
  idempotencyKey: "key-1",
};

describe("signed webhook", () => {
  test("a mail goes out whole, signed over timestamp and exact bytes", async () => {
    const sender = createWebhookMailSender(
      { kind: "webhook", url, secret, from: "auth@example.org" },
      { timeoutMs: 2_000 },
    );
    await sender.send(mail);
    const [request] = received;
    expect(JSON.parse(request?.body ?? "")).toEqual({
      channel: "email",
      id: "key-1",
      from: "auth@example.org",
      to: "ana@example.com",
      subject: "Hi",
      text: "Ünïcode 123456",
      html: "<p>123456</p>",
      categories: ["auth", "welcome"],
    });
    const timestamp = String(request?.headers["x-authkit-timestamp"]);
    expect(Math.abs(Number(timestamp) - Date.now() / 1000)).toBeLessThan(5);
    const expected = createHmac("sha256", secret).update(`${timestamp}.${request?.body}`).digest("hex");
    expect(request?.headers["x-authkit-signature"]).toBe(`v1=${expected}`);
    expect(request?.headers["idempotency-key"]).toBe("key-1");
    await sender.close();
  });

  test("an SMS goes out whole", async () => {
    const sender = createWebhookSmsSender({ kind: "webhook", url, secret }, { timeoutMs: 2_000 });
    await sender.send({ to: "+12025550123", text: "Auth: 123456", idempotencyKey: "key-2" });
    expect(JSON.parse(received[0]?.body ?? "")).toEqual({
      channel: "sms",
      id: "key-2",
      to: "+12025550123",
      text: "Auth: 123456",
    });
    await sender.close();
  });

  test.each([
    [400, true],
    [410, true],
    [422, true],
    [401, false],
    [408, false],
    [429, false],
    [302, false],
    [500, false],
  ])("answer %i is final: %s", async (code, final) => {
    status = code;
    const sender = createWebhookSmsSender({ kind: "webhook", url, secret }, { timeoutMs: 2_000 });
    const error = await sender
      .send({ to: "+12025550123", text: "x", idempotencyKey: "k" })
      .then(() => undefined)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(Error);
    expect(error instanceof DeliveryRefused).toBe(final);
    await sender.close();
  });
});
