import { randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, newPerson } from "../support/accounts.ts";
import { type EveryRoute, openEmptyEveryRoute, rows, send, subjectOf } from "../support/every-route.ts";
import { must, outcome } from "../support/expectation.ts";
import { minted } from "../support/minted.ts";

/** Where a second factor is mandatory, and somebody who has none. */
let house: Pick<EveryRoute, "cluster" | "known" | "close">;
/** What registration hands out there: good for enrolling a factor, and for nothing else. */
let enrolling: string;
/** An ordinary token of the same account, as one from before the rule. */
let unenrolled: string;

beforeAll(async () => {
  const opened = await openEmptyEveryRoute("{ enabled: false }", { AUTHKIT_2FA_MODE: "required" });
  house = { ...opened, known: {} };
  const { email, username, password } = newPerson();
  const body = { identifier: email, username, password };
  const registered = must(await api(opened.cluster, "/register", { body }));
  expect(registered.body["requires_2fa_enrollment"]).toBe(true);
  enrolling = String(registered.body["access_token"]);
  unenrolled = await minted(opened.cluster, subjectOf(enrolling), enrolling);
});
afterAll(() => house?.close());

const guarded = rows.filter(({ route }) => route.auth === "required" || typeof route.auth === "object");

describe("without the second factor that is mandatory", () => {
  test.each(guarded.map((row) => [row.name, row]))("%s", async (_name, row) => {
    expect(outcome(await send(house, row, { bearer: enrolling }))).toEqual([403, "forbidden"]);
    const refused = await send(house, row, { bearer: unenrolled });
    expect(outcome(refused)).toEqual([403, "2fa_enrollment_required"]);
    expect(Object(refused.body["error"]).metadata).toMatchObject({ requires_2fa_enrollment: true });
  });

  test("the routes of enrolment are open", async () => {
    for (const bearer of [enrolling, unenrolled])
      expect((await api(house.cluster, "/user/2fa", { bearer })).status).toBe(200);
  });

  test("whom nobody knows is told that first", async () => {
    const stranger = await minted(house.cluster, randomUUID(), enrolling);
    const reply = await api(house.cluster, "/me", { bearer: stranger });
    expect(outcome(reply)).toEqual([401, "user_disabled"]);
  });
});
