import { randomUUID } from "node:crypto";
import type { TSchema } from "typebox";
import type { Route } from "../../src/http/route.ts";
import { routes } from "../../src/http/routes/index.ts";
import { newAddress, newPerson, registered } from "./accounts.ts";
import { type OpenHouse, openHouse } from "./house.ts";
import { call, request, type TestReply } from "./http.ts";
import { claimOf, mintSecret } from "./minted.ts";

/** One row of the route table, at the address of the persona `org` where it has one for each persona. */
export interface Row {
  readonly route: Route;
  /** `METHOD /template`, as the table has them. */
  readonly name: string;
  /** Absolute path with its parameters still in it. */
  readonly template: string;
}

/** Every row there is: whoever adds one to the table has it here. */
export const rows: readonly Row[] = routes.map((route) => ({
  route,
  name: `${route.method} ${route.path}`,
  template:
    route.mount === "root"
      ? route.path
      : `/api/v1${route.personas === undefined ? route.path : route.path.replace("{persona}", "org")}`,
}));

export type Values = Readonly<Record<string, unknown>>;

/** A value for a member, path value or query of that name which its route could mean. */
export function sampleOf(name: string, known: Values = {}): unknown {
  const person = newPerson();
  const values: Values = {
    ...{ email: person.email, identifier: person.email, login: person.email, phone_number: person.phone },
    ...{ username: person.username, password: person.password, new_password: person.password },
    ...{ grant_type: "refresh_token", refresh_token: "x".repeat(43), until: "infinite" },
    ...{ persona: "org", instance: "acme", instance_slug: "acme", role: "viewer", provider: "acme" },
    ...{ user: randomUUID(), user_id: randomUUID(), id: randomUUID(), factor_id: randomUUID() },
    ...{
      link: randomUUID(),
      invite: randomUUID(),
      key: randomUUID(),
      app: person.username,
      slug: person.username,
    },
    ...{ method: "totp", issuer: "https://issuer.example", jwks_uri: "https://issuer.example/jwks" },
    ...{ digest: `sha256:${"0".repeat(64)}`, preferred_language: "en", language: "en", tier: "approved" },
    ...{ domain: "https://app.example", expires_at: "2999-01-01T00:00:00Z", audiences: ["inference"] },
    ...{ purpose: "login", mode: "code", invite: randomUUID(), address: "1".repeat(32) },
    ...known,
  };
  return values[name] ?? "x";
}

function properties(schema: TSchema | undefined): Readonly<Record<string, object>> {
  if (schema === undefined || !("properties" in schema)) return {};
  const found = schema.properties;
  return typeof found === "object" && found !== null ? { ...found } : {};
}

/** Members a schema names. */
export function membersOf(schema: TSchema | undefined): string[] {
  return Object.keys(properties(schema));
}

/** The path of a template with `{name}` replaced. */
export function filled(template: string, known: Values = {}): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    encodeURIComponent(String(sampleOf(name, known))),
  );
}

/** The path of a row with sample values: what removes a group has one of its own, since the others need theirs. */
export function pathOf({ name, template }: Row, known: Values = {}): string {
  const group = name === "DELETE /{persona}/{instance_slug}" ? { instance_slug: "doomed" } : {};
  return filled(template, { ...known, ...group });
}

/** Rows of which not all members may be there at once, or whose members are looked into. */
const bodies: Readonly<Record<string, (known: Values) => Values>> = {
  "POST /admin/users/{user_id}/recover": () => ({ email: newPerson().email }),
  "POST /email/verify/confirm": () => ({ email: newPerson().email, code: "123456" }),
  "POST /phone/verify/confirm": () => ({ phone_number: newPerson().phone, code: "123456" }),
  "POST /passwordless/start": () => ({ identifier: newPerson().email, mode: "code" }),
  "POST /passwordless/confirm": () => ({ identifier: newPerson().email, code: "123456" }),
  "POST /user/2fa": () => ({ method: "totp" }),
  "POST /step-up/2fa": () => ({ method: "totp", code: "123456" }),
  "POST /user/metadata": () => ({ plan: "free" }),
  "PATCH /user/metadata": () => ({ plan: "free" }),
  "POST /{persona}": () => ({ slug: `g${newPerson().username}` }),
  "PATCH /{persona}/{instance_slug}": () => ({ slug: "acme", display_name: "Acme" }),
  "POST /{persona}/{instance_slug}/members": () => ({ email: newPerson().email, role: "viewer" }),
  "POST /{persona}/{instance_slug}/remote-applications": () => ({
    ...{ slug: "shop", issuer: "https://shop.example", jwks_uri: "https://shop.example/jwks" },
  }),
  "POST /{persona}/{instance_slug}/roles": () => ({ role: "clerk", permissions: ["org:members:read"] }),
  "POST /solana/login": () => ({ output: {} }),
  "POST /solana/link": () => ({ output: {} }),
  "POST /password/strength": () => ({ password: newPerson().password }),
  "POST /register": (known) => {
    const { email, username, password } = newPerson();
    return { identifier: email, username, password, ...known };
  },
};

function typed(name: string, schema: object, known: Values): unknown {
  const type = "type" in schema ? schema.type : undefined;
  if (name in known) return known[name];
  if (type === "boolean") return false;
  if (type === "integer" || type === "number") return 60;
  const sample = sampleOf(name);
  return type === "array" && !Array.isArray(sample) ? [] : sample;
}

/** A body the row's schema admits, with every member it names unless they exclude each other; undefined where it takes none. */
export function bodyOf({ route, name }: Row, known: Values = {}): Values | undefined {
  const { body } = route;
  if (body === undefined) return undefined;
  const special = bodies[name];
  if (special !== undefined) return special(known);
  return Object.fromEntries(
    Object.entries(properties(body)).map(([member, schema]) => [member, typed(member, schema, known)]),
  );
}

/** A deployment that mounts every row, and somebody who may do everything there: owner of the root group and of the group `acme`. */
export interface EveryRoute extends OpenHouse {
  readonly owner: { readonly bearer: string; readonly id: string };
  /** Values for paths and bodies that exist. */
  readonly known: Values;
}

const yaml = (limits: string, acme: string): string => `
limits: ${limits}
providers:
  - ${acme}
applications: { self_registration: true, org_persona: org }
delegation: { audiences: [inference] }
documents: { reader_slugs: [reader] }
personas:
  - name: root
    capabilities: { api_keys: true, remote_applications: true, custom_roles: true }
  - name: org
    parent: root
    self_service_creation: true
    catalog: ["org:*", "org:members:read"]
    roles:
      - { name: viewer, permissions: ["org:members:read"] }
      - { name: admin, permissions: ["org:*"] }
      - { name: guard, permissions: ["org:members:read"], requires_mfa: true }
    capabilities: { api_keys: true, remote_applications: true, custom_roles: true }
  - name: vault
    parent: root
    self_service_creation: true
    roles: [{ name: owner, permissions: ["vault:*"], requires_mfa: true }]
`;

/** Id of the user an access token is for. */
export function subjectOf(token: string): string {
  return claimOf(token, "sub");
}

/** The deployment alone, without anybody in it. */
export function openEmptyEveryRoute(
  limits = "{ enabled: false }",
  env: Readonly<Record<string, string>> = {},
): Promise<OpenHouse> {
  return openHouse((acme) => yaml(limits, acme), {
    AUTHKIT_OIDC_RESULT_MODE: "code",
    AUTHKIT_DISCOVERY: "on",
    AUTHKIT_DEV_MINT_SECRET: mintSecret,
    ...env,
  });
}

/** @param limits the limit policy in YAML; without one nothing is limited. */
export async function openEveryRoute(
  limits = "{ enabled: false }",
  env: Readonly<Record<string, string>> = {},
): Promise<EveryRoute> {
  const house = await openEmptyEveryRoute(limits, env);
  const { cluster } = house;
  await call(cluster, "EnsureRootGroup");
  const { accessToken: bearer } = await registered(cluster);
  const owner = { bearer, id: subjectOf(bearer) };
  await call(cluster, "AssignRoleBySlug", { userID: owner.id, slug: "owner" });
  for (const slug of ["acme", "doomed"]) {
    const req = { Persona: "org", InstanceSlug: slug, OwnerSubjectID: owner.id };
    const made = await call(cluster, "CreatePermissionGroup", { req });
    if (made.status !== 200) throw new Error(`no group ${slug}: ${made.status} ${made.text}`);
  }
  return { ...house, owner, known: {} };
}

export interface SendOptions {
  readonly bearer?: string;
  readonly ip?: string;
  readonly method?: string;
  readonly path?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request to the row with sample values, from an address of its own, unless told otherwise. */
export function send(
  { cluster, known }: Pick<EveryRoute, "cluster" | "known">,
  row: Row,
  options: SendOptions = {},
): Promise<TestReply> {
  const { bearer, ip = newAddress(), headers } = options;
  const body = "body" in options ? options.body : bodyOf(row, known);
  return request(`${cluster.url}${options.path ?? pathOf(row, known)}`, {
    method: options.method ?? row.route.method,
    headers: { "x-forwarded-for": ip, ...headers },
    ...(body === undefined ? {} : { body }),
    ...(bearer === undefined ? {} : { bearer }),
  });
}
