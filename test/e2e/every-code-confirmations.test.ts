import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, behindProxy, messageTo, newPerson, type Person } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { must, outcome } from "../support/expectation.ts";
import { confirmed } from "../support/factored.ts";
import { unlimited } from "../support/faulty.ts";
import { call, type TestReply } from "../support/http.ts";
import { operatorMade } from "../support/operator-made.ts";

/** Where addresses must be proven first. */
let cluster: TestCluster;
let sql: pg.Client;

/** For the tests of one group. */
function serve(env: Readonly<Record<string, string>>): void {
  beforeAll(async () => {
    cluster = await startCluster({
      env: {
        ...behindProxy,
        AUTHKIT_CONFIG: await unlimited(),
        AUTHKIT_REGISTRATION_VERIFICATION: "required",
        ...env,
      },
    });
    sql = new pg.Client({ connectionString: cluster.databaseUrl });
    await sql.connect();
  });
  afterAll(async () => {
    await sql?.end();
    await cluster?.stop();
  });
}

type Channel = "email" | "phone";
const channels = ["email", "phone"] as const;
const member = (channel: Channel): string => (channel === "email" ? "email" : "phone_number");

const confirm = (channel: Channel, body: Record<string, unknown>): Promise<TestReply> =>
  api(cluster, `/${channel}/verify/confirm`, { body });

/** Confirms with the code that was sent to the person's contact. */
async function confirmWithCode(channel: Channel, person: Person): Promise<TestReply> {
  const { code } = await messageTo(cluster, person[channel]);
  return confirm(channel, { [member(channel)]: person[channel], code });
}

async function pending(channel: Channel): Promise<Person> {
  const person = newPerson();
  const { username, password } = person;
  const body = { identifier: person[channel], username, password };
  must(await api(cluster, "/register", { body }));
  // Only then does the registration wait.
  await messageTo(cluster, person[channel]);
  return person;
}

/** An account with a contact that is not proven. */
async function unproven(channel: Channel): Promise<Person & { readonly id: string }> {
  const person = await operatorMade(cluster, channel === "email" ? {} : { email: "" });
  if (channel === "phone")
    await sql.query("UPDATE profiles.users SET phone_number = $1 WHERE id = $2", [person.phone, person.id]);
  return person;
}

describe("with the improved statuses", () => {
  serve({ AUTHKIT_STRICT_STATUS: "true" });

  describe.each(channels)("POST /%s/verify/confirm", (channel) => {
    test("somebody else has the address by now", async () => {
      const person = await pending(channel);
      if (channel === "email") await operatorMade(cluster, { email: person.email });
      else {
        const { id } = await operatorMade(cluster);
        await sql.query("UPDATE profiles.users SET phone_number = $1 WHERE id = $2", [person.phone, id]);
      }
      expect(outcome(await confirmWithCode(channel, person))).toEqual([409, `${channel}_in_use`]);
    });

    test("somebody else has the name by now", async () => {
      const person = await pending(channel);
      await operatorMade(cluster, { username: person.username });
      expect(outcome(await confirmWithCode(channel, person))).toEqual([409, "username_in_use"]);
    });

    test("the account has been banned since", async () => {
      const person = await unproven(channel);
      const body = { [member(channel)]: person[channel] };
      must(await api(cluster, `/${channel}/verify/request`, { body }));
      await messageTo(cluster, person[channel]);
      const ban = { userID: person.id, reason: null, until: null, bannedBy: "" };
      must(await call(cluster, "BanUser", ban));
      expect(outcome(await confirmWithCode(channel, person))).toEqual([401, "user_banned"]);
    });
  });
});

describe("with the statuses of the contract", () => {
  serve({});

  test.each(channels)("POST /%s/verify/confirm", async (channel) => {
    // A dead link, of an address that is proven and of one that is not.
    const token = "x".repeat(43);
    const done = await confirmed(cluster, channel);
    expect(outcome(await confirm(channel, { token, [member(channel)]: done[channel] }))).toEqual([
      409,
      `${channel}_already_verified`,
    ]);
    const waiting = await unproven(channel);
    expect(outcome(await confirm(channel, { token, [member(channel)]: waiting[channel] }))).toEqual([
      410,
      "verification_link_expired",
    ]);
  });

  test("POST /email/verify/confirm with an address that is none", async () => {
    expect(outcome(await confirm("email", { email: "nobody", code: "123456" }))).toEqual([
      400,
      "invalid_email",
    ]);
  });
});
