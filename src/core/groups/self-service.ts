import { AuthError } from "../../contract/errors/index.ts";
import { isSlug } from "../identifiers/index.ts";
import type { Catalogue, Groups } from "./types.ts";

/** What users may call the groups they make themselves; the back end, which makes groups for them, is not bound by it. */
export interface SelfService {
  /** Throws `group_slug_invalid`, and `group_slug_reserved` unless the user has the root role that may use reserved names. */
  assertMayName(userId: string, persona: string, slug: string): Promise<void>;
}

export function createSelfService(
  catalogue: Catalogue,
  { rootRoles }: Pick<Groups, "rootRoles">,
): SelfService {
  const rules = new Map(
    catalogue.personas.map(({ name, slugs }) => [
      name,
      {
        pattern: slugs.pattern === undefined ? undefined : new RegExp(`^(?:${slugs.pattern})$`),
        reserved: new Set(slugs.reserved),
        role: slugs.reservedRole,
      },
    ]),
  );
  return {
    async assertMayName(userId, persona, slug) {
      const rule = rules.get(persona);
      if (!isSlug(slug) || rule?.pattern?.test(slug) === false) throw new AuthError("group_slug_invalid");
      if (rule?.reserved.has(slug) !== true) return;
      if ((await rootRoles([userId])).get(userId)?.includes(rule.role) !== true)
        throw new AuthError("group_slug_reserved");
    },
  };
}
