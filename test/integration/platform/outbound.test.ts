import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Outbound } from "../../../src/platform/outbound/port.ts";
import { createOutbound, type OutboundOptions } from "../../../src/platform/outbound/undici.ts";

let server: Server;
let port: number;
let hits = 0;
let handler: RequestListener = (_, response) => void response.end("ok");

beforeAll(async () => {
  server = createServer((request, response) => {
    hits++;
    handler(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  port = typeof address === "object" && address !== null ? address.port : 0;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

const opened: Outbound[] = [];
afterEach(async () => {
  hits = 0;
  handler = (_, response) => void response.end("ok");
  for (const one of opened.splice(0)) await one.close();
});
function open(options: OutboundOptions): Outbound {
  const outbound = createOutbound(options);
  opened.push(outbound);
  return outbound;
}

describe("the guard", () => {
  it.each([
    "http://127.0.0.1:PORT/",
    "http://127.1:PORT/",
    "http://2130706433:PORT/",
    "http://0x7f.0.0.1:PORT/",
    "http://0177.0.0.1:PORT/",
    "http://0.0.0.0:PORT/",
    "http://[::1]:PORT/",
    "http://[::]:PORT/",
    "http://[::ffff:127.0.0.1]:PORT/",
    "http://[::ffff:7f00:1]:PORT/",
    "http://[64:ff9b::7f00:1]:PORT/",
    "http://[2002:7f00:1::]:PORT/",
    "http://localhost:PORT/",
    "http://LOCALHOST.:PORT/",
    "http://a.localhost:PORT/",
    "http://169.254.169.254/latest/meta-data/",
    "http://10.0.0.1/",
    "http://100.100.100.200/",
    "http://[fd00::1]/",
    "http://metadata.google.internal/",
    "http://host.docker.internal/",
  ])("refuses %s before a connection is made", async (url) => {
    const outbound = open({ allowPrivate: false });
    const target = url.replace("PORT", String(port));
    await expect(outbound.request({ url: target })).rejects.toMatchObject({
      name: "OutboundError",
      fault: "blocked_address",
    });
    await expect(outbound.fetch(target)).rejects.toMatchObject({ fault: "blocked_address" });
    expect(hits).toBe(0);
  });

  it("refuses a name when any of its addresses is not public", async () => {
    const resolved: string[] = [];
    const outbound = open({
      allowPrivate: false,
      resolve(hostname, callback) {
        resolved.push(hostname);
        callback(null, [
          { address: "93.184.216.34", family: 4 },
          { address: "127.0.0.1", family: 4 },
        ]);
      },
    });
    await expect(outbound.request({ url: `http://rebinding.example:${port}/` })).rejects.toMatchObject({
      fault: "blocked_address",
      message: "rebinding.example is not a public address",
    });
    expect(resolved).toEqual(["rebinding.example"]);
    expect(hits).toBe(0);
  });

  it("connects to the address it checked, asking for it once, under the name's Host", async () => {
    let lookups = 0;
    let host = "";
    handler = (request, response) => {
      host = request.headers.host ?? "";
      response.end("ok");
    };
    const outbound = open({
      allowPrivate: true,
      resolve(_, callback) {
        lookups++;
        callback(null, [{ address: "127.0.0.1", family: 4 }]);
      },
    });
    const { status, body } = await outbound.request({ url: `http://idp.example:${port}/x` });
    expect([status, body.toString(), lookups, host]).toEqual([200, "ok", 1, `idp.example:${port}`]);
  });

  it("reaches loopback only when private addresses are allowed", async () => {
    const answer = await open({ allowPrivate: true }).request({ url: `http://127.0.0.1:${port}/` });
    expect(answer.status).toBe(200);
    expect(hits).toBe(1);
  });

  it.each(["ftp://example.com/", "file:///etc/passwd", "/relative", "", "http://"])(
    "refuses %j as no http URL",
    async (url) => {
      await expect(open({ allowPrivate: true }).request({ url })).rejects.toMatchObject({
        fault: "invalid_url",
      });
    },
  );
});

describe("the exchange", () => {
  it("posts a body with headers and returns status, headers and bytes", async () => {
    handler = (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        response.writeHead(201, {
          "x-method": request.method ?? "",
          "content-type": request.headers["content-type"] ?? "",
        });
        response.end(Buffer.concat(chunks));
      });
    };
    const answer = await open({ allowPrivate: true }).request({
      url: `http://127.0.0.1:${port}/hook?a=1`,
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: '{"a":"ü"}',
    });
    expect(answer.status).toBe(201);
    expect(answer.headers).toMatchObject({ "x-method": "POST", "content-type": "application/json" });
    expect(answer.body.toString()).toBe('{"a":"ü"}');
  });

  it("does not follow redirects", async () => {
    handler = (_, response) => void response.writeHead(302, { location: "/elsewhere" }).end();
    const outbound = open({ allowPrivate: true });
    expect((await outbound.request({ url: `http://127.0.0.1:${port}/` })).status).toBe(302);
    const response = await outbound.fetch(`http://127.0.0.1:${port}/`);
    expect([response.status, response.headers.get("location"), hits]).toEqual([302, "/elsewhere", 2]);
  });

  it("stops reading past the size allowed", async () => {
    let closed = false;
    handler = (request, response) => {
      request.socket.on("close", () => {
        closed = true;
      });
      const chunk = Buffer.alloc(64 * 1024);
      const push = () => {
        while (!closed && response.write(chunk));
      };
      response.on("drain", push);
      push();
    };
    const outbound = open({ allowPrivate: true });
    await expect(
      outbound.request({ url: `http://127.0.0.1:${port}/`, maxBytes: 100_000 }),
    ).rejects.toMatchObject({
      fault: "too_large",
    });
    await expect.poll(() => closed).toBe(true);
  });

  it("bounds the whole exchange, a dripping body included", async () => {
    handler = (_, response) => {
      const timer = setInterval(() => response.write("."), 20);
      response.on("close", () => clearInterval(timer));
    };
    const began = performance.now();
    await expect(
      open({ allowPrivate: true }).request({ url: `http://127.0.0.1:${port}/`, timeout: 300 }),
    ).rejects.toMatchObject({ fault: "timeout" });
    expect(performance.now() - began).toBeLessThan(1_500);
  });

  it("ends with the caller's signal", async () => {
    handler = () => undefined;
    const controller = new AbortController();
    const call = open({ allowPrivate: true }).request({
      url: `http://127.0.0.1:${port}/`,
      signal: controller.signal,
    });
    setTimeout(() => controller.abort(), 50);
    await expect(call).rejects.toMatchObject({ fault: "aborted" });
  });

  it("tells an unreachable host from a refused one", async () => {
    await expect(open({ allowPrivate: true }).request({ url: "http://127.0.0.1:1/" })).rejects.toMatchObject({
      fault: "network",
    });
  });

  it("serves as fetch: forms out, JSON in, bodiless statuses", async () => {
    handler = (request, response) => {
      if (request.url === "/empty") response.writeHead(204).end();
      else {
        const chunks: Buffer[] = [];
        request.on("data", (chunk: Buffer) => chunks.push(chunk));
        request.on("end", () => {
          response.setHeader("content-type", "application/json");
          response.end(
            JSON.stringify({ type: request.headers["content-type"], body: Buffer.concat(chunks).toString() }),
          );
        });
      }
    };
    const { fetch } = open({ allowPrivate: true });
    const url = `http://127.0.0.1:${port}/token`;
    const response = await fetch(new URL(url), {
      method: "POST",
      body: new URLSearchParams({ code: "a b" }),
    });
    expect(response.url).toBe(url);
    expect(await response.json()).toEqual({
      type: "application/x-www-form-urlencoded;charset=UTF-8",
      body: "code=a+b",
    });
    const empty = await fetch(`http://127.0.0.1:${port}/empty`);
    expect([empty.status, await empty.text()]).toEqual([204, ""]);
    await expect(fetch(url, { method: "DELETE" })).rejects.toMatchObject({ fault: "invalid_url" });
  });
});
