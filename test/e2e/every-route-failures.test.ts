import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { browserError } from "../../src/contract/errors/index.ts";
import { registered } from "../support/accounts.ts";
import { type EveryRoute, filled, openEveryRoute, type Row, rows, send } from "../support/every-route.ts";

let house: EveryRoute;

async function sql(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: house.cluster.databaseUrl });
  await client.connect();
  await client.query(text).finally(() => client.end());
}

type Outcome = readonly [status: number, code: string | undefined];

/** What a row answers when every statement fails, where it is not the row's own failure. */
const otherwise: Readonly<Record<string, Outcome>> = {
  "GET /auth/capabilities": [200, undefined],
  "GET /capabilities": [200, undefined],
  "POST /register": [500, "database_error"],
  "POST /password/login": [500, "database_error"],
  "POST /password/strength": [200, undefined],
  // Whether there is such an account is not told by a failure either: the work happens after the answer.
  "POST /register/resend-email": [202, undefined],
  "POST /register/resend-phone": [202, undefined],
  "POST /passwordless/start": [202, undefined],
  "POST /email/password/reset/request": [202, undefined],
  "POST /phone/password/reset/request": [202, undefined],
  // The proof is the first thing the body's values fail at.
  "POST /passkeys/register/finish": [400, "invalid_request"],
  "POST /applications/register": [502, "application_document_fetch_failed"],
  // A change is refused, whatever the reason (spec 20 §7.1).
  "POST /email/verify/request": [400, "failed_to_request_email_change"],
  "POST /phone/verify/request": [400, "failed_to_request_phone_change"],
  "POST /user/password": [400, "password_change_failed"],
  // A browser is sent on, and learns there.
  "GET /email/verify/confirm": [302, undefined],
  "GET /phone/verify/confirm": [302, undefined],
  "GET /email/password/reset/confirm": [302, undefined],
  "GET /phone/password/reset/confirm": [302, undefined],
  "GET /oidc/{provider}/login": [302, undefined],
  "GET /oidc/{provider}/callback": [302, undefined],
  "GET /oidc/{provider}/step-up/callback": [302, undefined],
  "POST /oidc/{provider}/callback": [405, "method_not_allowed"],
  "POST /oidc/{provider}/step-up/callback": [405, "method_not_allowed"],
  "POST /dev/mint": [401, undefined],
  "GET /openapi.json": [200, undefined],
  "GET /docs": [200, undefined],
  "GET /.well-known/authkit-configuration": [200, undefined],
  // Pages without data of anybody.
  "GET /verify": [200, undefined],
  "GET /passwordless": [200, undefined],
  "GET /reset": [200, undefined],
};

/** A worker that has seen the bearer a moment ago does not ask the database again, and these rows need nothing else of it. */
const fromMemory: Readonly<Record<string, Outcome>> = {
  "POST /oidc/{provider}/link/start": [200, undefined],
  "POST /solana/link": [401, "authentication_failed"],
  "POST /delegated/token": [200, undefined],
  "GET /.well-known/authkit/documents/{digest}": [401, undefined],
  "GET /dev/whoami": [200, undefined],
};

const query: Readonly<Record<string, string>> = {
  "GET /register/availability": "?username=somebody",
};

function expected(row: Row, also: Readonly<Record<string, Outcome>>): Outcome[] {
  const code = row.route.failure ?? "internal_error";
  const known = also[row.name] ?? otherwise[row.name];
  const remembered = fromMemory[row.name];
  const failure: Outcome = [browserError(code)?.status ?? 500, code];
  // A worker that meets the bearer for the first time fails at that.
  const first = known === undefined || row.route.auth !== "none" ? [failure] : [];
  return [...first, ...[known, remembered].filter((outcome) => outcome !== undefined)];
}

/** Sends every row a request while no statement finds its table; then the server works as before. */
function sweep(also: Readonly<Record<string, Outcome>>): void {
  describe("answers with the documented code", () => {
    beforeAll(() => sql("ALTER SCHEMA profiles RENAME TO elsewhere"));
    afterAll(() => sql("ALTER SCHEMA elsewhere RENAME TO profiles"));

    test.each(rows.map((row) => [row.name, row] as const))("%s", async (...[, row]) => {
      const path = filled(row.template, house.known) + (query[row.name] ?? "");
      const bearer = row.route.auth === "none" ? {} : { bearer: house.owner.bearer };
      const reply = await send(house, row, { path, ...bearer });
      expect(expected(row, also), reply.text).toContainEqual([reply.status, reply.code]);
      // What exactly went wrong is the log's business.
      expect(reply.text).not.toMatch(/SQLSTATE|42P01|relation|profiles/);
    });
  });

  test("and works again when the tables are back", async () => {
    expect((await registered(house.cluster)).accessToken).not.toBe("");
  });
}

describe("a failing statement", () => {
  beforeAll(async () => {
    house = await openEveryRoute();
  });
  afterAll(() => house?.close());
  sweep({
    "POST /2fa/challenge": [401, "invalid_challenge"],
    "DELETE /user/email-change": [200, undefined],
    "DELETE /user/phone-change": [200, undefined],
    "POST /register/abandon": [200, undefined],
    "POST /passkeys/login/begin": [200, undefined],
    "POST /email/password/reset/confirm": [400, "invalid_or_expired_token"],
    "POST /phone/password/reset/confirm": [400, "invalid_or_expired_token"],
    "POST /oidc/result": [400, "invalid_or_expired_code"],
    "POST /solana/challenge": [200, undefined],
    "GET /dev/messages": [200, undefined],
  });
});

describe("a failing statement, where the database keeps ephemeral state too", () => {
  beforeAll(async () => {
    house = await openEveryRoute("{ enabled: false }", { AUTHKIT_REDIS_URL: "" });
  });
  afterAll(() => house?.close());
  sweep({
    "POST /oidc/{provider}/link/start": [500, "state_store_failed"],
    "POST /2fa/challenge": [500, "challenge_verify_failed"],
    "POST /2fa/verify": [500, "challenge_verify_failed"],
  });
});
