import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { queueSchema } from "../../src/platform/queue/schema.ts";
import { api, newPerson } from "../support/accounts.ts";
import { startApplicationSite } from "../support/application-site.ts";
import { type EveryRoute, openEveryRoute } from "../support/every-route.ts";
import { outcome } from "../support/expectation.ts";
import type { TestReply } from "../support/http.ts";
import { refusing, without } from "../support/refusing.ts";

let house: EveryRoute;
beforeAll(async () => {
  house = await openEveryRoute("{ enabled: false }", {
    AUTHKIT_REDIS_URL: "",
    AUTHKIT_REGISTRATION_VERIFICATION: "optional",
  });
});
afterAll(() => house?.close());

const post = (path: string, body: unknown, bearer?: string): Promise<TestReply> =>
  api(house.cluster, path, { body, ...(bearer === undefined ? {} : { bearer }) });

describe("a request that cannot be handed to the background", () => {
  const jobs = `${queueSchema("profiles")}.job`;
  test.each<[path: string, body: () => object, code: string]>([
    ["/passwordless/start", () => ({ identifier: newPerson().email, mode: "code" }), "database_error"],
    ["/email/password/reset/request", () => ({ email: newPerson().email }), "password_reset_request_failed"],
    [
      "/phone/password/reset/request",
      () => ({ phone_number: newPerson().phone }),
      "password_reset_request_failed",
    ],
  ])("%s", async (path, body, code) => {
    const reply = await refusing(house.cluster.databaseUrl, "INSERT", jobs, () => post(path, body()));
    expect(outcome(reply)).toEqual([500, code]);
    expect((await post(path, body())).status).toBe(202);
  });
});

describe("ephemeral state that cannot be read or written", () => {
  test.each([
    ["/register/resend-email", () => ({ email: newPerson().email })],
    ["/register/resend-phone", () => ({ phone_number: newPerson().phone })],
  ])("%s", async (path, body) => {
    const reply = await without(house.cluster.databaseUrl, "profiles.ephemeral", () => post(path, body()));
    expect(outcome(reply)).toEqual([500, "resend_failed"]);
    expect(outcome(await post(path, body()))).toEqual([404, "pending_registration_not_found"]);
  });

  test.each([
    ["/email/verify/request", () => ({ email: newPerson().email }), "failed_to_request_email_change"],
    ["/phone/verify/request", () => ({ phone_number: newPerson().phone }), "failed_to_request_phone_change"],
  ])("%s, for a change", async (path, body, code) => {
    const { databaseUrl } = house.cluster;
    const request = (): Promise<TestReply> => post(path, body(), house.owner.bearer);
    const reply = await refusing(databaseUrl, "INSERT OR UPDATE", "profiles.ephemeral", request);
    expect(outcome(reply)).toEqual([400, code]);
    expect((await request()).status).toBe(202);
  });
});

test("an application that cannot be written", async () => {
  const site = await startApplicationSite("unwritten");
  try {
    const { databaseUrl } = house.cluster;
    const register = (): Promise<TestReply> => post("/applications/register", { domain: site.base });
    const reply = await refusing(databaseUrl, "INSERT", "profiles.remote_applications", register);
    expect(outcome(reply)).toEqual([500, "database_error"]);
    expect((await register()).status).toBe(201);
  } finally {
    site.close();
  }
});
