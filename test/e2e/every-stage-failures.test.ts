import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { api, messagesTo, newPerson, registered } from "../support/accounts.ts";
import { type Door, type Dweller, doors, settle, throughProvider } from "../support/doors.ts";
import { type OpenHouse, openHouse } from "../support/house.ts";
import { call, type TestReply } from "../support/http.ts";
import { until } from "../support/outcome.ts";
import { refusing as refusingOf, statements, without } from "../support/refusing.ts";

/** Ephemeral state is in the database, so that it can be made to fail too. */
const inDatabase = { AUTHKIT_REDIS_URL: "" };
const policy = (acme: string): string => `limits: { enabled: false }\nproviders:\n  - ${acme}\n`;

let house: OpenHouse;

/** Lets writes to a table fail while `work` runs. */
const refusing = <T>(verbs: string, table: string, work: () => Promise<T>, when?: string): Promise<T> =>
  refusingOf(house.cluster.databaseUrl, verbs, `profiles.${table}`, work, when);

const sql = (text: string): Promise<void> => statements(house.cluster.databaseUrl, text);

const failure = ({ status, code }: TestReply): readonly [number, string | undefined] => [status, code];

describe("an account that can sign in by every door", () => {
  let dweller: Dweller;
  beforeAll(async () => {
    house = await openHouse(policy, inDatabase);
    dweller = await settle(house);
  });
  afterAll(() => house?.close());

  test.each<[string, string]>([
    // First, because later sessions end the oldest.
    ["refresh token", "token_issue_failed"],
    ["password by e-mail", "session_creation_failed"],
    ["password by username", "session_creation_failed"],
    ["code by e-mail", "access_token_create_failed"],
    ["link by e-mail", "access_token_create_failed"],
    ["passkey", "token_issue_failed"],
    ["provider", "session_issue_failed"],
    ["wallet", "session_creation_failed"],
  ])("%s, when no session can be written: %s", async (name, code) => {
    const door: Door | undefined = doors[name];
    if (door === undefined) return expect.fail(name);
    const reply = await refusing("INSERT OR UPDATE", "refresh_sessions", () => door(house, dweller));
    expect(failure(reply), reply.text).toEqual([500, code]);
    expect((await door(house, dweller)).status).toBe(200);
  });

  test("a registration whose account cannot be written, and one whose session cannot", async () => {
    const { email, username, password } = newPerson();
    const body = { identifier: email, username, password };
    const register = (): Promise<TestReply> => api(house.cluster, "/register", { body });
    expect(failure(await refusing("INSERT", "users", register))).toEqual([500, "registration_failed"]);
    expect(failure(await refusing("INSERT", "refresh_sessions", register))).toEqual([
      500,
      "token_issue_failed",
    ]);
    // The account exists; the person signs in.
    const login = await api(house.cluster, "/password/login", { body: { email, password } });
    expect(login.status).toBe(200);
  });

  test("a provider's stranger who cannot be written", async () => {
    const door = doors["provider"];
    if (door === undefined) return expect.fail();
    const stranger = (): Promise<TestReply> =>
      door(house, { ...dweller, subject: `new-${newPerson().username}` });
    expect(failure(await refusing("INSERT", "users", stranger))).toEqual([500, "user_creation_failed"]);
    expect(failure(await refusing("INSERT", "user_providers", stranger))).toEqual([
      500,
      "user_creation_failed",
    ]);
  });

  test("the same at the step-up callback", async () => {
    const at = (subject: string) => (): Promise<TestReply> =>
      throughProvider(house, subject, undefined, "step-up/callback");
    const stranger = at(`new-${newPerson().username}`);
    expect(failure(await refusing("INSERT", "users", stranger))).toEqual([500, "user_creation_failed"]);
    const known = at(dweller.subject);
    const reply = await refusing("INSERT", "refresh_sessions", known);
    expect(failure(reply)).toEqual([500, "session_issue_failed"]);
  });

  test("a step-up that cannot be written", async () => {
    const { accessToken: bearer, password } = await registered(house.cluster);
    await sql("UPDATE profiles.refresh_sessions SET last_authenticated_at = now() - interval '1 day'");
    const stepUp = (): Promise<TestReply> =>
      api(house.cluster, "/step-up/password", { bearer, body: { password } });
    expect(failure(await refusing("UPDATE", "refresh_sessions", stepUp))).toEqual([500, "step_up_failed"]);
  });
});

describe("an account with a second factor", () => {
  let person: Awaited<ReturnType<typeof registered>>;
  beforeAll(async () => {
    house = await openHouse(policy, inDatabase);
    person = await registered(house.cluster);
    const { email, accessToken: bearer } = person;
    const found = await call(house.cluster, "GetUserByEmail", { email });
    await call(house.cluster, "SetEmailVerified", { id: Object(found.body["result"]).ID, v: true });
    const enabled = await api(house.cluster, "/user/2fa", { bearer, body: { method: "email" } });
    expect(enabled.status, enabled.text).toBe(200);
  });
  afterAll(() => house?.close());

  const login = (): Promise<TestReply> =>
    api(house.cluster, "/password/login", { body: { email: person.email, password: person.password } });

  test("a challenge that cannot be kept, found, or redeemed for a session", async () => {
    expect(failure(await refusing("INSERT OR UPDATE", "ephemeral", login))).toEqual([
      500,
      "2fa_challenge_failed",
    ]);

    const { body, text } = await login();
    expect(body["requires_2fa"], text).toBe(true);
    let code = "";
    await until("the code", 10, async () => {
      const messages = await messagesTo(house.cluster, person.email);
      code = messages.find((message) => message.code !== "")?.code ?? "";
      return code !== "";
    });
    const { challenge, user_id } = body;
    const factor_id = Object(body["default_factor"]).id;
    const proof = { user_id, challenge, factor_id, code };
    await without(house.cluster.databaseUrl, "profiles.ephemeral", async () => {
      expect(failure(await api(house.cluster, "/2fa/verify", { body: proof }))).toEqual([
        500,
        "challenge_verify_failed",
      ]);
      expect(
        failure(
          await api(house.cluster, "/2fa/challenge", {
            body: { user_id, challenge, factor_id: factor_id ?? "any" },
          }),
        ),
      ).toEqual([500, "challenge_verify_failed"]);
    });
    const verify = (): Promise<TestReply> => api(house.cluster, "/2fa/verify", { body: proof });
    expect(failure(await refusing("INSERT", "refresh_sessions", verify))).toEqual([
      500,
      "session_creation_failed",
    ]);
  });
});

describe("a wallet of an account with a second factor", () => {
  let dweller: Dweller;
  beforeAll(async () => {
    house = await openHouse(policy, inDatabase);
    dweller = await settle(house);
    const { accessToken: bearer } = dweller;
    const enabled = await api(house.cluster, "/user/2fa", { bearer, body: { method: "email" } });
    expect(enabled.status, enabled.text).toBe(200);
  });
  afterAll(() => house?.close());

  test("whose challenge cannot be kept", async () => {
    const wallet = doors["wallet"];
    if (wallet === undefined) return expect.fail();
    const login = (): Promise<TestReply> => wallet(house, dweller);
    const reply = await refusing(
      "INSERT OR UPDATE",
      "ephemeral",
      login,
      "NEW.key LIKE 'auth:2fa:challenge:%'",
    );
    expect(failure(reply), reply.text).toEqual([500, "2fa_challenge_failed"]);
    expect((await login()).body["requires_2fa"]).toBe(true);
  });
});

describe("an account whose address is not verified", () => {
  beforeAll(async () => {
    house = await openHouse(policy, { ...inDatabase, AUTHKIT_REGISTRATION_VERIFICATION: "required" });
  });
  afterAll(() => house?.close());

  test.each(["email", "phone"] as const)("whose proof cannot be kept at login: %s", async (channel) => {
    const { username, password, ...contacts } = newPerson();
    const email = channel === "email" ? contacts.email : "";
    const created = await call(house.cluster, "CreateUser", { email, username });
    const userID = Object(created.body["result"]).ID;
    await call(house.cluster, "AdminSetPassword", { userID, new: password });
    if (channel === "phone")
      await sql(
        `UPDATE profiles.users SET phone_number = '${contacts.phone}' WHERE username = '${username}'`,
      );
    const login = (): Promise<TestReply> =>
      api(house.cluster, "/password/login", { body: { login: username, password } });
    expect(failure(await refusing("INSERT OR UPDATE", "ephemeral", login))).toEqual([
      500,
      `${channel}_verification_failed`,
    ]);
    expect((await login()).body).toEqual({
      requires_verification: true,
      identifier: contacts[channel],
      channel,
    });
  });
});
