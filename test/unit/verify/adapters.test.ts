import { createServer, type RequestListener } from "node:http";
import express from "express";
import fastify from "fastify";
import { Hono } from "hono";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  entitlement,
  expressAuth,
  fastifyAuth,
  freshAuth,
  honoAuth,
  type Lookup,
  nodeAuth,
  permission,
  userOnly,
  type Verifier,
} from "../../../src/verify/index.ts";
import { createTestIssuer, type TestIssuer, testSigner } from "../../../src/verify/testing.ts";
import { userId, verifierFor } from "./support.ts";

let server: TestIssuer;
let verifier: Verifier;
const lookup: Lookup = {
  can: async ({ instanceSlug, perm }) => instanceSlug === "acme" && perm === "org:docs:read",
};
beforeAll(async () => {
  server = await createTestIssuer({ signer: testSigner("k", "EdDSA") });
  verifier = verifierFor(server, { lookup });
});
afterAll(() => server.close());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}
type Send = (path: string, bearer?: string) => Promise<Answer>;

async function answerOf(response: Response): Promise<Answer> {
  return { status: response.status, headers: response.headers, text: await response.text() };
}

function headersOf(bearer: string | undefined): Record<string, string> {
  return bearer === undefined ? {} : { authorization: `Bearer ${bearer}` };
}

/** Serves while the test runs, over a real socket. */
async function served(listener: RequestListener, work: (send: Send) => Promise<void>): Promise<void> {
  const listening = createServer(listener);
  await new Promise<void>((resolve) => listening.listen(0, "127.0.0.1", resolve));
  const address = listening.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  try {
    await work(async (path, bearer) =>
      answerOf(await fetch(`http://127.0.0.1:${port}${path}`, { headers: headersOf(bearer) })),
    );
  } finally {
    listening.closeAllConnections();
    await new Promise((resolve) => listening.close(resolve));
  }
}

const inGroup = permission("org:docs:read", ({ params, path }) => ({
  persona: "org",
  instance: params["org"] ?? path.split("/")[2] ?? "",
}));

/** What every adapter has to do: the same routes, the same answers. */
async function sameAnswers(send: Send): Promise<void> {
  const token = server.userToken(userId, { claims: { entitlements: ["premium"], auth_time: 1 } });
  const service = server.serviceToken("reporter");
  const good = await send("/required?x=1", token);
  expect([good.status, good.text]).toEqual([200, `user ${userId}`]);

  const missing = await send("/required");
  expect(missing.status).toBe(401);
  expect(missing.headers.get("www-authenticate")).toBe("Bearer");
  expect(missing.headers.get("content-type")).toContain("application/json");
  expect(missing.text).toMatch(
    /^\{"error":\{"type":"authentication_error","code":"missing_token","message":".+"\}\}\n$/,
  );

  const expired = await send("/required", server.expiredToken(userId));
  expect(JSON.parse(expired.text)).toMatchObject({ error: { code: "token_expired" } });
  const wrong = await send("/required", service);
  expect(JSON.parse(wrong.text)).toMatchObject({ error: { code: "access_token_wrong_typ" } });

  expect((await send("/optional")).text).toBe("nobody");
  expect((await send("/optional", token)).text).toBe(`user ${userId}`);
  expect((await send("/optional", "x")).status).toBe(401);
  expect((await send("/optional-user", "x")).text).toBe("nobody");
  expect((await send("/optional-user", token)).text).toBe(`user ${userId}`);

  expect((await send("/premium", token)).status).toBe(200);
  const plain = await send("/premium", server.userToken(userId));
  expect([plain.status, plain.headers.get("www-authenticate")]).toEqual([403, null]);
  expect(JSON.parse(plain.text)).toMatchObject({ error: { type: "authorization_error", code: "forbidden" } });

  expect((await send("/orgs/acme/docs", token)).status).toBe(200);
  expect((await send("/orgs/other/docs", token)).status).toBe(403);

  const stale = await send("/fresh", token);
  expect(stale.status).toBe(403);
  expect(JSON.parse(stale.text)).toEqual({
    error: {
      type: "authorization_error",
      code: "step_up_required",
      message: "Additional verification is required to continue.",
      metadata: { max_age_seconds: 900, step_up_methods: ["password", "2fa"] },
    },
  });
  const auth_time = Math.floor(Date.now() / 1000);
  expect((await send("/fresh", server.userToken(userId, { claims: { auth_time } }))).status).toBe(200);

  expect((await send("/service", service)).text).toBe("service reporter");
  expect((await send("/service", token)).status).toBe(401);
}

const name = (
  principal: { readonly kind: string; readonly subject: string | undefined } | undefined,
): string => (principal === undefined ? "nobody" : `${principal.kind} ${principal.subject}`);

describe("adapters", () => {
  it("node:http", async () => {
    const auth = nodeAuth(verifier);
    const listeners = new Map([
      ["required", auth.required((_, response, principal) => void response.end(name(principal)))],
      ["optional", auth.optional((_, response, principal) => void response.end(name(principal)))],
      ["optional-user", auth.optionalUser((_, response, principal) => void response.end(name(principal)))],
      ["premium", auth.required((_, response) => void response.end(), entitlement("premium"))],
      ["orgs", auth.required((_, response) => void response.end(), userOnly, inGroup)],
      ["fresh", auth.required((_, response) => void response.end(), freshAuth())],
      ["service", auth.service((_, response, principal) => void response.end(name(principal)))],
    ]);
    await served((request, response) => {
      const first = new URL(request.url ?? "/", "http://x").pathname.split("/")[1] ?? "";
      void listeners.get(first)?.(request, response);
    }, sameAnswers);
  });

  it("Express", async () => {
    const auth = expressAuth(verifier);
    const app = express();
    app.get(
      "/required",
      auth.required(),
      (request, response) => void response.send(name(auth.principal(request))),
    );
    app.get(
      "/optional",
      auth.optional(),
      (request, response) => void response.send(name(auth.principal(request))),
    );
    app.get("/optional-user", auth.optionalUser(), (request, response) => {
      response.send(name(auth.principal(request)));
    });
    app.get("/premium", auth.required(entitlement("premium")), (_, response) => void response.end());
    app.get("/orgs/:org/docs", auth.required(userOnly, inGroup), (_, response) => void response.end());
    app.get("/fresh", auth.required(freshAuth()), (_, response) => void response.end());
    app.get(
      "/service",
      auth.service(),
      (request, response) => void response.send(name(auth.principal(request))),
    );
    await served(app, sameAnswers);
  });

  it("Fastify", async () => {
    const auth = fastifyAuth(verifier);
    const app = fastify();
    app.get("/required", { preHandler: auth.required() }, async (request) => name(auth.principal(request)));
    app.get("/optional", { preHandler: auth.optional() }, async (request) => name(auth.principal(request)));
    app.get("/optional-user", { onRequest: auth.optionalUser() }, async (request) =>
      name(auth.principal(request)),
    );
    app.get("/premium", { preHandler: auth.required(entitlement("premium")) }, async () => "");
    app.get("/orgs/:org/docs", { preHandler: auth.required(userOnly, inGroup) }, async () => "");
    app.get("/fresh", { preHandler: auth.required(freshAuth()) }, async () => "");
    app.get("/service", { preHandler: auth.service() }, async (request) => name(auth.principal(request)));
    const base = await app.listen({ host: "127.0.0.1", port: 0 });
    try {
      await sameAnswers(async (path, bearer) =>
        answerOf(await fetch(`${base}${path}`, { headers: headersOf(bearer) })),
      );
    } finally {
      await app.close();
    }
  });

  it("Hono", async () => {
    const auth = honoAuth(verifier);
    const app = new Hono();
    app.get("/required", auth.required(), (c) => c.text(name(auth.principal(c))));
    app.get("/optional", auth.optional(), (c) => c.text(name(auth.principal(c))));
    app.get("/optional-user", auth.optionalUser(), (c) => c.text(name(auth.principal(c))));
    app.get("/premium", auth.required(entitlement("premium")), (c) => c.text(""));
    app.get("/orgs/:org/docs", auth.required(userOnly, inGroup), (c) => c.text(""));
    app.get("/fresh", auth.required(freshAuth()), (c) => c.text(""));
    app.get("/service", auth.service(), (c) => c.text(name(auth.principal(c))));
    await sameAnswers(async (path, bearer) =>
      answerOf(await app.fetch(new Request(`http://x${path}`, { headers: headersOf(bearer) }))),
    );
  });

  it("what a guard throws by mistake is the application's to handle", async () => {
    const auth = expressAuth(verifier);
    const app = express();
    const broken = () => {
      throw new RangeError("mistake");
    };
    app.get("/", auth.required(broken), (_, response) => void response.end());
    app.use(
      (error: Error, _request: express.Request, response: express.Response, _next: express.NextFunction) => {
        response.status(500).send(error.message);
      },
    );
    await served(app, async (send) => {
      const answer = await send("/", server.userToken(userId));
      expect([answer.status, answer.text]).toEqual([500, "mistake"]);
    });
  });
});
