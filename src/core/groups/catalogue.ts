import type { PersonaConfig } from "../../config/config.ts";
import type { Catalogue, PersonaDefinition, RoleDefinition } from "./types.ts";

const intrinsicRootPermissions = [
  "root:resources:read",
  "root:users:ban",
  "root:users:recover",
  "root:users:delete",
  "root:users:invite",
  "root:roles:manage",
  "root:credentials:manage",
];

/**
 * The persona schema of a configuration that has been validated: `root` always exists and takes in every declaration of that name,
 * and each persona has the role `owner` with all of its permissions.
 */
export function createCatalogue(declared: readonly PersonaConfig[]): Catalogue {
  const names = [...new Set(["root", ...declared.map(({ name }) => name)])].sort();
  const personas = names.map((name) =>
    define(
      name,
      declared.filter((persona) => persona.name === name),
    ),
  );
  const byName = new Map(personas.map((persona) => [persona.name, persona]));
  const role = (persona: string, name: string): RoleDefinition | undefined =>
    byName.get(persona)?.roles.find((entry) => entry.name === name);
  return {
    personas,
    persona: (name) => byName.get(name),
    role,
    mayExist: (persona, name) =>
      name !== "" && (role(persona, name) !== undefined || byName.get(persona)?.customRoles === true),
  };
}

const anySlug = { pattern: undefined, reserved: [], reservedRole: "owner" } as const;

function define(name: string, parts: readonly PersonaConfig[]): PersonaDefinition {
  const declared = parts.flatMap((part) => part.roles);
  const owner: RoleDefinition = { name: "owner", permissions: [`${name}:*`], requiresMfa: false };
  const roles = declared.some((role) => role.name === "owner") ? declared : [...declared, owner];
  const customRoles = parts.some((part) => part.capabilities.customRoles);
  const catalog = parts.flatMap((part) => part.catalog);
  const base = customRoles && catalog.length > 0 ? catalog : roles.flatMap((role) => role.permissions);
  const intrinsic = name === "root" ? intrinsicRootPermissions : [];
  const universe = new Set([...base, ...intrinsic]);
  universe.delete(`${name}:*`);
  return {
    name,
    parent: parts[0]?.parent ?? "",
    roles,
    customRoles,
    apiKeys: parts.some((part) => part.capabilities.apiKeys),
    remoteApplications: parts.some((part) => part.capabilities.remoteApplications),
    requireConsent: parts.some((part) => part.requireConsent),
    selfServiceCreation: parts.some((part) => part.selfServiceCreation),
    slugs: parts.find((part) => part.selfServiceSlugs !== undefined)?.selfServiceSlugs ?? anySlug,
    universe: [...universe].sort(),
  };
}
