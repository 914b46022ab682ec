import type { PersonaConfig } from "../config.ts";
import {
  leaf,
  listOf,
  maybe,
  type ObjectOf,
  object,
  type Position,
  refuse,
  required,
  type Shape,
} from "../shape.ts";
import { BadValue, boolean, list, textLike } from "../values.ts";

const segment = /^[a-z][a-z0-9-]{0,63}$/;

/** First segments of fixed routes: a persona of that name would share their paths. */
const fixedSegments = new Set(
  (
    "2fa admin applications auth capabilities delegated dev email healthz invites logout me metrics oidc passkeys password " +
    "passwordless phone readyz register sessions solana step-up token user v1"
  ).split(" "),
);

const segmentName = textLike(
  "name",
  "lower-case letters, digits and `-`, starting with a letter, at most 64",
  (value) => {
    if (!segment.test(value)) throw new BadValue("is not a valid name");
    return value;
  },
  { type: "string", pattern: segment.source },
);

const grant = textLike("grant", "`persona:*`, `persona:resource:*` or `persona:resource:action`", (value) => {
  const parts = value.split(":");
  const [persona = "", resource = "", action] = parts;
  const named = segment.test(persona) && (resource === "*" ? action === undefined : segment.test(resource));
  const whole = resource === "*" || action === "*" || (action !== undefined && segment.test(action));
  if (parts.length > 3 || !named || !whole) throw new BadValue("is no grant");
  return value;
});

const roleFields = {
  name: required(leaf(segmentName), "Unique in the persona."),
  permissions: maybe(leaf(list(grant)), "Grants of this persona."),
  requires_mfa: maybe(leaf(boolean), "Only users with a second factor may hold the role."),
};

const capabilityFields = {
  api_keys: maybe(leaf(boolean), "Groups have API keys."),
  remote_applications: maybe(leaf(boolean), "Groups have remote applications."),
  custom_roles: maybe(leaf(boolean), "Groups define roles of their own."),
};

const personaFields = {
  name: required(leaf(segmentName), "Unique; `root` adds to the built-in persona."),
  parent: maybe(
    leaf(segmentName),
    "Persona whose groups contain groups of this one; required except for `root`.",
  ),
  roles: maybe(listOf(object(roleFields)), "Roles besides the injected `owner`."),
  capabilities: maybe(object(capabilityFields), "What groups of the persona may have."),
  catalog: maybe(leaf(list(grant)), "Grants custom roles may use."),
  require_consent: maybe(leaf(boolean), "Adding an existing user always makes an invite."),
  self_service_creation: maybe(leaf(boolean), "Users may create groups themselves."),
};

const persona = object(personaFields);

/** The persona schema: syntax of names and grants, and the rules that make it a tree below `root`. */
export const personas: Shape<readonly PersonaConfig[]> = {
  schema: listOf(persona).schema,
  read(tree, at) {
    const read = listOf(persona).read(tree, at)?.map(complete);
    if (read !== undefined) checkSchema(read, at);
    return read;
  },
};

function complete(given: ObjectOf<typeof personaFields>): PersonaConfig {
  return {
    name: given.name,
    parent: given.parent ?? "",
    roles: (given.roles ?? []).map((role) => ({
      name: role.name,
      permissions: role.permissions ?? [],
      requiresMfa: role.requires_mfa ?? false,
    })),
    capabilities: {
      apiKeys: given.capabilities?.api_keys ?? false,
      remoteApplications: given.capabilities?.remote_applications ?? false,
      customRoles: given.capabilities?.custom_roles ?? false,
    },
    catalog: given.catalog ?? [],
    requireConsent: given.require_consent ?? false,
    selfServiceCreation: given.self_service_creation ?? false,
  };
}

function checkSchema(all: readonly PersonaConfig[], at: Position): void {
  const names = new Set(["root", ...all.map(({ name }) => name)]);
  const seen = new Set<string>();
  let rootCapabilities = 0;
  for (const entry of all) {
    if (entry.name !== "root" && seen.has(entry.name)) refuse(at, `declares the persona ${entry.name} twice`);
    seen.add(entry.name);
    if (fixedSegments.has(entry.name))
      refuse(at, `names a persona ${entry.name}, the first segment of a fixed route`);
    checkParent(entry, names, at);
    checkRoles(entry, at);
    if (entry.name === "root" && Object.values(entry.capabilities).includes(true)) rootCapabilities++;
  }
  if (rootCapabilities > 1) refuse(at, "gives capabilities to root in more than one place");
  for (const entry of all) {
    if (isCyclic(entry, all)) refuse(at, `has the persona ${entry.name} in a circle of parents`);
  }
}

function checkParent({ name, parent }: PersonaConfig, names: ReadonlySet<string>, at: Position): void {
  if (name === "root") {
    if (parent !== "") refuse(at, "gives root a parent", "remove it");
  } else if (parent === "") {
    refuse(at, `lacks the parent of persona ${name}`, "name the persona that contains it, for example root");
  } else if (parent === name) {
    refuse(at, `makes persona ${name} its own parent`);
  } else if (!names.has(parent)) {
    refuse(
      at,
      `names the undeclared parent ${parent} of persona ${name}`,
      `declare it, or use one of ${[...names].join(", ")}`,
    );
  }
}

function checkRoles({ name, roles, catalog, capabilities }: PersonaConfig, at: Position): void {
  const seen = new Set<string>();
  for (const role of roles) {
    const what = `role ${role.name} of persona ${name}`;
    if (seen.has(role.name)) refuse(at, `declares the ${what} twice`);
    seen.add(role.name);
    for (const permission of role.permissions) {
      if (!permission.startsWith(`${name}:`))
        refuse(
          at,
          `gives the ${what} the foreign grant ${permission}`,
          `use grants that start with ${name}:`,
        );
      if (capabilities.customRoles && catalog.length > 0 && !catalog.includes(permission)) {
        refuse(
          at,
          `gives the ${what} the grant ${permission}, which the catalog lacks`,
          "add it to the catalog",
        );
      }
    }
    if (role.name === "owner" && (role.permissions.length !== 1 || role.permissions[0] !== `${name}:*`)) {
      refuse(at, `declares the ${what} with other grants than ${name}:*`, "leave it out: it is always there");
    }
  }
  for (const entry of catalog) {
    if (!entry.startsWith(`${name}:`))
      refuse(at, `has the foreign grant ${entry} in the catalog of persona ${name}`);
  }
}

function isCyclic(start: PersonaConfig, all: readonly PersonaConfig[]): boolean {
  const parents = new Map(all.map(({ name, parent }) => [name, parent]));
  const visited = new Set<string>();
  let name: string | undefined = start.parent;
  while (name !== undefined && name !== "" && !visited.has(name)) {
    if (name === start.name) return start.parent !== start.name;
    visited.add(name);
    name = parents.get(name);
  }
  return false;
}

/** Text of a persona's name, for settings that refer to one. */
export const personaName = segmentName;
