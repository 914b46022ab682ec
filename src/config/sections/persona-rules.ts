import type { PersonaConfig } from "../config.ts";
import { type Position, refuse } from "../shape.ts";

/** First segments of fixed routes: a persona of that name would share their paths. */
const fixedSegments = new Set(
  (
    "2fa admin applications auth capabilities delegated dev email healthz invites logout me metrics oidc passkeys password " +
    "passwordless phone readyz register sessions solana step-up token user v1"
  ).split(" "),
);

/** One entry of the list and where it stands. */
export interface Declaration {
  readonly persona: PersonaConfig;
  readonly at: Position;
}

/**
 * The rules a persona schema must obey as a whole. `root` may be declared in several places, which count as one persona: its roles, its
 * catalogue and its capabilities are judged together.
 */
export function checkPersonas(declarations: readonly Declaration[]): void {
  const byName = Map.groupBy(declarations, ({ persona }) => persona.name);
  const parents = new Map(declarations.map(({ persona }) => [persona.name, persona.parent]));
  for (const [name, parts] of byName) {
    for (const [index, { persona, at }] of parts.entries()) {
      if (name !== "root" && index > 0)
        refuse(key(at, "name"), `declares the persona ${name} twice`, "merge the two declarations");
      if (fixedSegments.has(name)) {
        const clash = `names a persona ${name}, the first segment of a fixed route`;
        refuse(key(at, "name"), clash, "choose another name");
      }
      checkParent(persona, at, parents);
      if (persona.selfServiceCreation && (name === "root" || !["", "root"].includes(persona.parent))) {
        const message = `is on for persona ${name}, which is not directly below root`;
        refuse(key(at, "self_service_creation"), message, "remove it, or declare `parent: root`");
      }
    }
    checkRoles(name, parts);
    checkSlugs(parts, byName.get("root") ?? []);
    if (name === "root") checkCapabilities(parts);
  }
}

function key(at: Position, name: string): Position {
  return { ...at, path: `${at.path}.${name}` };
}

function checkParent(
  { name, parent }: PersonaConfig,
  position: Position,
  parents: ReadonlyMap<string, string>,
): void {
  const at = key(position, "parent");
  if (name === "root") {
    if (parent !== "") refuse(at, "gives root a parent", "remove it");
  } else if (parent === "") {
    const fix = "name the persona that contains it, for example root";
    refuse(position, `lacks the parent of persona ${name}`, fix);
  } else if (parent === name) {
    refuse(at, `makes persona ${name} its own parent`, "name the persona that contains it");
  } else if (parent !== "root" && !parents.has(parent)) {
    const known = [...new Set(["root", ...parents.keys()])].join(", ");
    refuse(
      at,
      `names the undeclared parent ${parent} of persona ${name}`,
      `declare it, or use one of ${known}`,
    );
  } else if (isCyclic(name, parents)) {
    refuse(at, `has the persona ${name} in a circle of parents`, "let one of them be contained in root");
  }
}

function isCyclic(start: string, parents: ReadonlyMap<string, string>): boolean {
  const visited = new Set<string>();
  let name = parents.get(start);
  while (name !== undefined && !visited.has(name)) {
    if (name === start) return true;
    visited.add(name);
    name = parents.get(name);
  }
  return false;
}

/** Roles of all parts together: unique names, grants of the persona and within its catalogue. */
function checkRoles(name: string, parts: readonly Declaration[]): void {
  const catalog = new Set(parts.flatMap(({ persona }) => persona.catalog));
  const bounded = catalog.size > 0 && parts.some(({ persona }) => persona.capabilities.customRoles);
  const seen = new Set<string>();
  for (const { persona, at } of parts) {
    for (const role of persona.roles) {
      const roles = key(at, "roles");
      const what = `role ${role.name} of persona ${name}`;
      if (seen.has(role.name)) refuse(roles, `declares the ${what} twice`, "keep one, or rename it");
      seen.add(role.name);
      for (const permission of role.permissions) {
        const foreign = !permission.startsWith(`${name}:`);
        if (foreign) {
          const fix = `use grants that start with ${name}:`;
          refuse(roles, `gives the ${what} the foreign grant ${permission}`, fix);
        } else if (bounded && !catalog.has(permission)) {
          const lacking = `gives the ${what} the grant ${permission}, which the catalog lacks`;
          refuse(roles, lacking, "add it to the catalog");
        }
      }
      if (role.name === "owner" && (role.permissions.length !== 1 || role.permissions[0] !== `${name}:*`)) {
        const fix = "leave it out: it is always there";
        refuse(roles, `declares the ${what} with other grants than ${name}:*`, fix);
      }
    }
    for (const entry of persona.catalog) {
      const fix = `use grants that start with ${name}:`;
      if (!entry.startsWith(`${name}:`))
        refuse(key(at, "catalog"), `has the foreign grant ${entry} in the catalog of persona ${name}`, fix);
    }
  }
}

/** Rules for slugs must have an effect, and their role must be one of the root group. */
function checkSlugs(parts: readonly Declaration[], root: readonly Declaration[]): void {
  const roles = new Set(["owner", ...root.flatMap(({ persona }) => persona.roles.map(({ name }) => name))]);
  for (const { persona, at } of parts) {
    const { selfServiceSlugs: slugs, selfServiceCreation, name } = persona;
    if (slugs === undefined) continue;
    const where = key(at, "self_service_slugs");
    if (!selfServiceCreation)
      refuse(
        where,
        `is set for persona ${name}, whose groups users cannot create`,
        "set self_service_creation",
      );
    if (!roles.has(slugs.reservedRole)) {
      const known = [...roles].join(", ");
      refuse(
        key(where, "reserved_role"),
        `names ${slugs.reservedRole}, no role of root`,
        `use one of ${known}`,
      );
    }
  }
}

/** Only `root` has several parts: which of them it has its capabilities from must be beyond doubt. */
function checkCapabilities(parts: readonly Declaration[]): void {
  const giving = parts.filter(({ persona }) => Object.values(persona.capabilities).includes(true));
  for (const { persona, at } of giving.slice(1)) {
    refuse(
      key(at, "capabilities"),
      `gives capabilities to ${persona.name} in more than one place`,
      "keep them in one declaration",
    );
  }
}
