import { expect } from "vitest";
import { api, messageTo, newPerson, registered } from "./accounts.ts";
import type { TestCluster } from "./cluster.ts";
import { call, request } from "./http.ts";
import { type SmtpSink, waitForMessage } from "./smtp.ts";

/** One account's whole way through a deployment: what must work wherever its database and Redis are. Mail goes to the console, or to the sink. */
export async function journey(cluster: TestCluster, mail?: SmtpSink): Promise<void> {
  const account = await registered(cluster);
  const signedIn = await api(cluster, "/password/login", {
    body: { email: account.email, password: account.password },
  });
  expect(signedIn.status, signedIn.text).toBe(200);
  const bearer = String(signedIn.body["access_token"]);
  const me = await api(cluster, "/me", { bearer });
  expect(me.body["email"]).toBe(account.email);

  const body = { grant_type: "refresh_token", refresh_token: signedIn.body["refresh_token"] };
  const refreshes = await Promise.all(Array.from({ length: 10 }, () => api(cluster, "/token", { body })));
  expect(refreshes.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
  expect(new Set(refreshes.map((reply) => reply.body["refresh_token"])).size).toBe(1);

  // A message goes through the queue and its worker.
  const { email } = newPerson();
  const started = await api(cluster, "/passwordless/start", { body: { identifier: email, mode: "code" } });
  expect(started.status, started.text).toBeLessThan(300);
  const { code } = await (mail === undefined ? messageTo(cluster, email) : waitForMessage(mail, email));
  const confirmed = await api(cluster, "/passwordless/confirm", { body: { identifier: email, code } });
  expect(confirmed.status, confirmed.text).toBe(200);

  const found = await call(cluster, "GetUserByEmail", { email: account.email });
  const userID = String(Object(found.body["result"]).ID);
  const banned = await call(cluster, "BanUser", { userID, reason: null, until: null, bannedBy: "" });
  expect(banned.status, banned.text).toBe(200);
  // On every worker, at once.
  const after = await Promise.all(
    Array.from({ length: 12 }, () =>
      request(`${cluster.api}/me`, { bearer, headers: { connection: "close" } }),
    ),
  );
  expect(new Set(after.map(({ status }) => status))).toEqual(new Set([401]));
}

/** Whether somebody can register now: needs database, Redis and a hash. */
export async function registers(cluster: TestCluster): Promise<boolean> {
  const person = newPerson();
  const reply = await request(`${cluster.api}/register`, {
    body: { identifier: person.email, username: person.username, password: person.password },
  });
  return reply.status === 202;
}
