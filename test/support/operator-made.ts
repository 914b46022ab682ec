import { api, newPerson, type Person } from "./accounts.ts";
import type { TestCluster } from "./cluster.ts";
import { must } from "./expectation.ts";
import { call } from "./http.ts";

/** An account an operator made, with a password and, unless `contact` is blank, an address that is not proven. */
export async function operatorMade(
  cluster: TestCluster,
  contact: Partial<Pick<Person, "email" | "username">> = {},
): Promise<Person & { readonly id: string }> {
  const person = { ...newPerson(), ...contact };
  const { email, username } = person;
  const made = must(await call(cluster, "CreateUser", { email, username }));
  const id = String(Object(made.body["result"]).ID);
  must(await call(cluster, "AdminSetPassword", { userID: id, new: person.password }));
  return { ...person, id };
}

/** Its access token, where an address need not be proven. */
export async function signedIn(cluster: TestCluster, { username, password }: Person): Promise<string> {
  const reply = must(await api(cluster, "/password/login", { body: { login: username, password } }));
  return String(reply.body["access_token"]);
}
