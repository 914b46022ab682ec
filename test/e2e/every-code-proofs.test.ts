import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { totpCode, totpPeriod } from "../../src/core/mfa/totp.ts";
import { api, newPerson, registered } from "../support/accounts.ts";
import { SoftwareAuthenticator } from "../support/authenticator.ts";
import { type Dweller, settle } from "../support/doors.ts";
import { bodyOf, type EveryRoute, openEveryRoute, rows, send, subjectOf } from "../support/every-route.ts";
import { must, outcome } from "../support/expectation.ts";
import { call, type TestReply } from "../support/http.ts";
import { minted } from "../support/minted.ts";
import { refusing } from "../support/refusing.ts";
import { staleToken } from "../support/stale.ts";

let house: EveryRoute;
let sql: pg.Client;
beforeAll(async () => {
  house = await openEveryRoute("{ enabled: false }", {
    AUTHKIT_LINK_REQUIRES_STEP_UP: "on",
    AUTHKIT_PASSKEY_MAX_PER_USER: "2",
    AUTHKIT_SESSION_MAX_PER_USER: "-1",
  });
  sql = new pg.Client({ connectionString: house.cluster.databaseUrl });
  await sql.connect();
});
afterAll(async () => {
  await sql?.end();
  await house?.close();
});

type Account = Awaited<ReturnType<typeof registered>>;

/** A password of the caller is one of these members, whatever the row. */
const passwordMembers = ["password", "current_password"] as const;

/** The row's body with this password of the caller, or with none. */
function bodyWith(row: (typeof rows)[number], password?: string): Record<string, unknown> | undefined {
  const body = bodyOf(row);
  if (body === undefined) return undefined;
  const member = passwordMembers.find((name) => name in body);
  const rest = Object.fromEntries(
    Object.entries(body).filter(([name]) => !passwordMembers.some((one) => one === name)),
  );
  // A number and an address of nobody, and a ceremony that has not begun: none of it is looked at yet.
  return member === undefined || password === undefined ? rest : { ...rest, [member]: password };
}

/** A new account that owns the group that rows may delete, since that is asked for before the proof. */
async function coOwner(): Promise<Account> {
  const account = await registered(house.cluster);
  const role = { persona: "org", instanceSlug: "doomed", subjectKind: "user", role: "owner" };
  const subjectID = subjectOf(account.accessToken);
  must(await call(house.cluster, "AssignGroupRole", { ...role, subjectID }));
  return account;
}

async function resetRequired(account: Account): Promise<void> {
  const userID = subjectOf(account.accessToken);
  const hash = { hash: "!", algo: "legacy-reset-required", params: null };
  must(await call(house.cluster, "UpsertPasswordHash", { userID, ...hash }));
}

describe("a session that is not fresh", () => {
  let account: Account;
  let stale: string;
  beforeAll(async () => {
    account = await coOwner();
    stale = await staleToken(house.cluster, sql, account);
  });

  /** Ways to become fresh; they are refused to whoever has a second factor, where deployments are strict about it. */
  const remedies = ["POST /step-up/password", "POST /oidc/{provider}/step-up/start"];
  const gated = rows.filter(
    ({ route, name }) => route.errors.includes("step_up_required") && !remedies.includes(name),
  );
  test.each(gated.map((row) => [row.name, row]))("%s wants it to be", async (_name, row) => {
    const reply = await send(house, row, { bearer: stale, body: bodyWith(row) });
    expect(outcome(reply)).toEqual([403, "step_up_required"]);
    expect(Object(reply.body["error"]).metadata).toMatchObject({ step_up_methods: ["password"] });
  });

  const passable = gated.filter(({ route }) => route.errors.includes("invalid_password"));
  test("passes with a password at these rows", () => {
    expect(passable.map(({ name }) => name).sort()).toEqual([
      "DELETE /user",
      "DELETE /user/providers/{provider}",
      "DELETE /{persona}/{instance_slug}",
      "POST /email/verify/request",
      "POST /phone/verify/request",
      "POST /user/password",
    ]);
  });

  describe.each(passable.map((row) => [row.name, row] as const))("%s", (_name, row) => {
    const attempt = (bearer: string, password: string): Promise<TestReply> =>
      send(house, row, { bearer, body: bodyWith(row, password) });

    test("refuses the wrong password", async () => {
      expect(outcome(await attempt(stale, "not this one"))).toEqual([401, "invalid_password"]);
    });

    test("refuses the right one of a token without a session", async () => {
      const bearer = await minted(house.cluster, subjectOf(stale), stale);
      expect(outcome(await attempt(bearer, account.password))).toEqual([401, "unauthorized"]);
    });

    test("refuses a password that has to be reset", async () => {
      const other = await coOwner();
      const bearer = await staleToken(house.cluster, sql, other);
      await resetRequired(other);
      expect(outcome(await attempt(bearer, other.password))).toEqual([401, "password_reset_required"]);
    });

    test("fails when the proof cannot be noted", async () => {
      const other = await coOwner();
      const bearer = await staleToken(house.cluster, sql, other);
      const reply = await refusing(house.cluster.databaseUrl, "UPDATE", "profiles.refresh_sessions", () =>
        attempt(bearer, other.password),
      );
      expect(outcome(reply)).toEqual([500, "step_up_failed"]);
    });

    test("refuses a body that is none", async () => {
      expect(outcome(await send(house, row, { bearer: stale, body: "{" }))).toEqual([400, "invalid_request"]);
    });
  });

  test("/step-up/password refuses a password that has to be reset, and a session that is over", async () => {
    const [one, other] = [await registered(house.cluster), await registered(house.cluster)];
    const stepUp = ({ accessToken: bearer, password }: Account) =>
      api(house.cluster, "/step-up/password", { bearer, body: { password } });
    await resetRequired(one);
    expect(outcome(await stepUp(one))).toEqual([401, "password_reset_required"]);
    await endSession(other);
    expect(outcome(await stepUp(other))).toEqual([401, "unauthorized"]);
  });

  test("/step-up/2fa refuses a session that is over", async () => {
    const other = await registered(house.cluster);
    const bearer = other.accessToken;
    const started = must(await api(house.cluster, "/user/2fa", { body: { method: "totp" }, bearer }));
    const codeOf = (offset: number): string =>
      totpCode(String(started.body["secret"]), Math.floor(Date.now() / 1000 / totpPeriod) + offset);
    must(await api(house.cluster, "/user/2fa", { body: { method: "totp", code: codeOf(-1) }, bearer }));
    await endSession(other);
    const reply = await api(house.cluster, "/step-up/2fa", { bearer, body: { code: codeOf(0) } });
    expect(outcome(reply)).toEqual([401, "unauthorized"]);
  });
});

/** As another server of the earlier generation does on the same database: nobody is told. */
async function endSession({ accessToken }: Account): Promise<void> {
  await sql.query("UPDATE profiles.refresh_sessions SET revoked_at = now() WHERE user_id = $1", [
    subjectOf(accessToken),
  ]);
}

describe("passkeys", () => {
  const begin = (bearer: string): Promise<TestReply> =>
    api(house.cluster, "/passkeys/register/begin", { method: "POST", bearer });
  const finish = (bearer: string, body: unknown): Promise<TestReply> =>
    api(house.cluster, "/passkeys/register/finish", { bearer, body });
  const optionsOf = (reply: TestReply) => JSON.parse(JSON.stringify(must(reply).body["publicKey"]));
  const passkey = (): SoftwareAuthenticator => new SoftwareAuthenticator({ origin: house.origin });

  test("a credential somebody has is not registered again, and no more than the limit are", async () => {
    const { accessToken: first } = await registered(house.cluster);
    const { accessToken: second } = await registered(house.cluster);
    const key = passkey();
    const late = optionsOf(await begin(first));
    must(await finish(first, key.create(optionsOf(await begin(first)))));
    const twice = await finish(second, key.create(optionsOf(await begin(second))));
    expect(outcome(twice)).toEqual([409, "passkey_already_registered"]);
    must(await finish(first, passkey().create(optionsOf(await begin(first)))));
    expect(outcome(await begin(first))).toEqual([409, "passkey_limit_reached"]);
    expect(outcome(await finish(first, passkey().create(late)))).toEqual([409, "passkey_limit_reached"]);
  });

  test("the only way into an account is not removed", async () => {
    const who = await settle(house);
    const bearer = who.accessToken;
    await leaveOnlyPasskey(who);
    const listed = must(await api(house.cluster, "/passkeys", { bearer })).body["passkeys"];
    const id = Array.isArray(listed) ? String(Object(listed[0]).id) : "";
    const reply = await api(house.cluster, `/passkeys/${id}`, { method: "DELETE", bearer });
    expect(outcome(reply)).toEqual([400, "cannot_unlink_last_login_method"]);
  });
});

/** What an operator may leave behind, who clears accounts by hand. */
async function leaveOnlyPasskey({ id }: Dweller): Promise<void> {
  await sql.query("UPDATE profiles.users SET email = NULL, phone_number = NULL WHERE id = $1", [id]);
  await sql.query("DELETE FROM profiles.user_passwords WHERE user_id = $1", [id]);
  await sql.query("DELETE FROM profiles.user_providers WHERE user_id = $1", [id]);
}

describe("contacts of the account itself", () => {
  test("the number it has, and that of somebody else", async () => {
    const [one, other] = [await registered(house.cluster, "phone"), await registered(house.cluster, "phone")];
    const ask = (phone_number: string): Promise<TestReply> =>
      api(house.cluster, "/phone/verify/request", { bearer: one.accessToken, body: { phone_number } });
    expect(outcome(await ask(one.phone))).toEqual([400, "phone_unchanged"]);
    expect(outcome(await ask(other.phone))).toEqual([400, "phone_in_use"]);
    expect((await ask(newPerson().phone)).status).toBe(202);
  });

  test("an address that is verified has nothing to be verified", async () => {
    const { email } = await registered(house.cluster);
    const reply = await api(house.cluster, "/email/verify/request", { body: { email } });
    expect(outcome(reply)).toEqual([409, "email_already_verified"]);
  });
});
