import type { PersonaConfig, PersonaSlugs } from "../config.ts";
import { leaf, listOf, maybe, type ObjectOf, object, required, type Shape } from "../shape.ts";
import { BadValue, boolean, list, textLike } from "../values.ts";
import { checkPersonas, type Declaration } from "./persona-rules.ts";

const segment = /^[a-z][a-z0-9-]{0,63}$/;

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

const slugPattern = textLike("pattern", "a regular expression", (value) => {
  try {
    new RegExp(`^(?:${value})$`);
  } catch {
    throw new BadValue("is no regular expression");
  }
  return value;
});

const slug = textLike("slug", "a slug", (value) => {
  if (!/^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/.test(value)) throw new BadValue("is no slug");
  return value;
});

const slugFields = {
  pattern: maybe(leaf(slugPattern), "Regular expression the whole slug must match as well."),
  reserved: maybe(leaf(list(slug)), "Slugs kept for those who have the role."),
  reserved_role: maybe(
    leaf(segmentName),
    "Role in the root group that may use reserved slugs; default `owner`.",
  ),
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
  self_service_creation: maybe(
    leaf(boolean),
    "Users may create groups themselves; for personas directly below `root`.",
  ),
  self_service_slugs: maybe(object(slugFields), "What users may call the groups they create themselves."),
};

const persona = object(personaFields);

const declaration: Shape<Declaration> = {
  schema: persona.schema,
  read(tree, at) {
    const given = persona.read(tree, at);
    return given === undefined ? undefined : { persona: complete(given), at };
  },
};

/** The persona schema: syntax of names and grants, and the rules that make it a tree below `root`. */
export const personas: Shape<readonly PersonaConfig[]> = {
  schema: listOf(persona).schema,
  read(tree, at) {
    const declarations = listOf(declaration).read(tree, at);
    if (declarations === undefined) return undefined;
    checkPersonas(declarations);
    return declarations.map((declared) => declared.persona);
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
    ...(given.self_service_slugs === undefined ? {} : { selfServiceSlugs: slugs(given.self_service_slugs) }),
  };
}

function slugs(given: ObjectOf<typeof slugFields>): PersonaSlugs {
  return {
    pattern: given.pattern,
    reserved: given.reserved ?? [],
    reservedRole: given.reserved_role ?? "owner",
  };
}

/** Text of a persona's name, for settings that refer to one. */
export const personaName = segmentName;
