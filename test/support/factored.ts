import type pg from "pg";
import { api, messagesTo, messageTo, newPerson, type Person } from "./accounts.ts";
import type { TestCluster } from "./cluster.ts";
import { subjectOf } from "./every-route.ts";
import { must } from "./expectation.ts";
import type { TestReply } from "./http.ts";
import { until } from "./outcome.ts";

export interface Confirmed extends Person {
  readonly id: string;
  readonly accessToken: string;
}

/** An account where addresses must be proven first, as its owner makes it. */
export async function confirmed(cluster: TestCluster, by: "email" | "phone" = "email"): Promise<Confirmed> {
  const person = newPerson();
  const identifier = person[by];
  const { username, password } = person;
  must(await api(cluster, "/register", { body: { identifier, username, password } }));
  const { code } = await messageTo(cluster, identifier);
  const proof = by === "email" ? { email: identifier, code } : { phone_number: identifier, code };
  const reply = must(await api(cluster, `/${by}/verify/confirm`, { body: proof }));
  const accessToken = String(reply.body["access_token"]);
  return { ...person, accessToken, id: subjectOf(accessToken) };
}

/** Somebody who is about to be asked for his second factor, which is a message and nothing else: no backup code is left. */
export interface Factored extends Confirmed {
  readonly factorId: string;
  /** Of the link of a passwordless sign-in by e-mail. */
  readonly token: string;
  /** What a password sign-in handed out, whose message has been sent. */
  readonly challenge: string;
}

export async function factored(
  cluster: TestCluster,
  sql: pg.Client,
  method: "email" | "sms",
): Promise<Factored> {
  const account = await confirmed(cluster);
  const { accessToken: bearer, email, phone, password, id } = account;
  const enrol = (body: Record<string, unknown>): Promise<TestReply> =>
    api(cluster, "/user/2fa", { bearer, body: { method, ...body } });
  if (method === "email") must(await enrol({}));
  else {
    must(await enrol({ phone }));
    must(await enrol({ phone, code: (await messageTo(cluster, phone)).code }));
  }
  await sql.query("UPDATE profiles.mfa_settings SET backup_codes = '{}' WHERE user_id = $1", [id]);
  const handOff = must(await api(cluster, "/password/login", { body: { email, password } }));
  must(await api(cluster, "/passwordless/start", { body: { identifier: email, mode: "link" } }));
  return {
    ...account,
    factorId: String(Object(handOff.body["default_factor"]).id),
    challenge: String(handOff.body["challenge"]),
    token: await signInToken(cluster, email),
  };
}

async function signInToken(cluster: TestCluster, to: string): Promise<string> {
  let token: string | undefined;
  await until("a link to sign in with", 15, async () => {
    const links = (await messagesTo(cluster, to)).filter(({ url }) => url.includes("/passwordless"));
    token = links.at(-1)?.token;
    return token !== undefined;
  });
  return token ?? "";
}
