import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TSchema } from "typebox";
import { afterAll, beforeAll, expect, it } from "vitest";
import { routes } from "../../src/http/routes/index.ts";
import { api, behindProxy, newPerson, registered } from "../support/accounts.ts";
import { startCluster, type TestCluster } from "../support/cluster.ts";
import { call } from "../support/http.ts";

const yaml = `
limits: { enabled: false }
personas:
  - name: org
    parent: root
    self_service_creation: true
    roles: [{ name: viewer, permissions: ["org:members:read"] }]
    capabilities: { custom_roles: true, api_keys: true, remote_applications: true }
`;

let cluster: TestCluster;
let bearer: string;
let userId: string;
beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), "authkit-unstorable-"));
  const config = join(directory, "authkit.yaml");
  await writeFile(config, yaml);
  cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_CONFIG: config,
      AUTHKIT_CONTRACT: "0.97",
      AUTHKIT_SOLANA_NETWORK: "devnet",
      AUTHKIT_PASSWORDLESS: "true",
    },
  });
  await call(cluster, "EnsureRootGroup");
  const made = await registered(cluster);
  bearer = made.accessToken;
  userId = String(JSON.parse(Buffer.from(bearer.split(".")[1] ?? "", "base64url").toString()).sub);
  await call(cluster, "AssignRoleBySlug", { userID: userId, slug: "owner" });
  const group = await api(cluster, "/org", { method: "POST", bearer, body: { slug: "acme" } });
  expect(group.status, group.text).toBe(201);
});
afterAll(() => cluster?.stop());

/** What the database, or a parser on the way to it, does not take as text; and what it takes, but nobody means. */
const hostile = [
  "\u0000",
  "a\u0000b",
  "\ud800",
  "\u{10ffff}\uffff",
  "%00",
  "\\u0000",
  "a".repeat(70_000),
  "1e999",
  "-1",
  "'\"\\",
];
/** Ends the session of the test itself. */
const ending = new Set(["DELETE /user", "DELETE /logout", "DELETE /user/sessions", "POST /user/password"]);
/** Codes that the contract gives a status of 500 although the request is at fault. */
const documented = new Set(["regenerate_codes_failed", "2fa_send_failed", "phone_2fa_unavailable"]);

function valid(name: string): unknown {
  const person = newPerson();
  const values: Readonly<Record<string, unknown>> = {
    ...{ email: person.email, identifier: person.email, login: person.email, phone_number: person.phone },
    ...{ username: person.username, password: person.password, new_password: person.password },
    ...{
      grant_type: "refresh_token",
      until: "infinite",
      persona: "org",
      instance: "acme",
      instance_slug: "acme",
    },
    ...{ user: userId, user_id: userId, role: "viewer", permissions: [], provider: "google", slug: "acme" },
    ...{ method: "totp", issuer: "https://issuer.example", jwks_uri: "https://issuer.example/jwks" },
  };
  return values[name] ?? "x";
}

function members(schema: TSchema | undefined): string[] {
  if (schema === undefined || !("properties" in schema)) return [];
  const { properties } = schema;
  return typeof properties === "object" && properties !== null ? Object.keys(properties) : [];
}

it("characters no database holds are refused or replaced in every member, path value and query, never a failure", async () => {
  const failed: string[] = [];
  let asked = 0;
  const ask = async (
    method: string,
    path: string,
    body: Record<string, unknown> | undefined,
    what: string,
  ) => {
    asked++;
    const reply = await api(cluster, path, { method, bearer, ...(body === undefined ? {} : { body }) });
    if (reply.status >= 500 && !documented.has(reply.code ?? ""))
      failed.push(`${what} -> ${reply.status} ${reply.code}`);
  };
  for (const { method, path, body, query, mount } of routes) {
    if (mount === "root" || ending.has(`${method} ${path}`)) continue;
    const names = [...path.matchAll(/\{(\w+)\}/g)].map((found) => found[1] ?? "");
    const own = members(body);
    const asking = members(query);
    const fill = (values: Readonly<Record<string, string>> = {}) =>
      path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
        encodeURIComponent(values[name] ?? String(valid(name))),
      );
    const filled = (change: Record<string, unknown> = {}) =>
      body === undefined
        ? undefined
        : { ...Object.fromEntries(own.map((name) => [name, valid(name)])), ...change };
    for (const value of hostile) {
      const text = value.toWellFormed();
      for (const name of names)
        await ask(
          method,
          fill({ [name]: text }),
          filled(),
          `${method} ${path} {${name}} ${JSON.stringify(value.slice(0, 9))}`,
        );
      for (const name of asking)
        await ask(
          method,
          `${fill()}?${name}=${encodeURIComponent(text)}`,
          filled(),
          `${method} ${path} ?${name} ${JSON.stringify(value.slice(0, 9))}`,
        );
      for (const name of own) {
        await ask(
          method,
          fill(),
          filled({ [name]: value }),
          `${method} ${path} .${name} ${JSON.stringify(value.slice(0, 9))}`,
        );
        await ask(
          method,
          fill(),
          { [name]: value },
          `${method} ${path} only .${name} ${JSON.stringify(value.slice(0, 9))}`,
        );
        await ask(
          method,
          fill(),
          filled({ [name]: [value] }),
          `${method} ${path} [] .${name} ${JSON.stringify(value.slice(0, 9))}`,
        );
      }
    }
  }
  expect(failed).toEqual([]);
  expect(asked).toBeGreaterThan(1000);
}, 300_000);
