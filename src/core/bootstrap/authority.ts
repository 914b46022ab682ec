import { AuthError } from "../../contract/errors/index.ts";
import type { Audit } from "../audit/index.ts";
import type { Platform } from "../platform.ts";
import { authorityStore } from "./authority-store.ts";
import type { DeclaredAuthority } from "./types.ts";

type RoleAuthority = Omit<DeclaredAuthority, "storeApplication" | "checkApplication">;

/** Roles of a manifest, given within its transaction. Nobody's authority is asked for: whoever applies a manifest has all of it. */
export function createRoleAuthority(
  { config, clock, random }: Pick<Platform, "config" | "clock" | "random">,
  audit: Audit,
): RoleAuthority {
  const personas = config.personas.filter(({ name }) => name !== "root");

  function notAssignable(persona: string, role: string): AuthError {
    return new AuthError("role_not_assignable", {
      message: `role "${role}" is not assignable in a "${persona}" group`,
    });
  }

  /**
   * Whether the declared role demands a second factor; undefined for one that a group may have made for itself. Throws
   * `role_not_assignable` where there can be none.
   */
  function declaredRole(persona: string, role: string): { readonly requiresMfa: boolean } | undefined {
    const declared = config.personas.find(({ name }) => name === persona);
    const found = declared?.roles.find(({ name }) => name === role);
    if (found !== undefined) return found;
    if (role === "owner") return { requiresMfa: false };
    if (declared?.capabilities.customRoles !== true) throw notAssignable(persona, role);
    return undefined;
  }

  return {
    async ensureRoot(_context, tx) {
      await authorityStore.insertRoot(tx, random.uuid(), clock.now());
      await authorityStore.seedContainment(
        tx,
        personas.map(({ name }) => name),
        personas.map(({ parent }) => parent),
      );
    },

    rootHasOwner: (tx) => authorityStore.rootHasOwner(tx, clock.now()),

    async setRole({ persona, instanceSlug, role, subject }, context, tx) {
      if (persona !== "root" && !personas.some(({ name }) => name === persona))
        throw new AuthError("role_not_assignable", { message: `there is no persona "${persona}"` });
      // What no group can have is said before the group is looked for.
      const declared = declaredRole(persona, role);
      const groupId = await authorityStore.findGroup(tx, persona, instanceSlug);
      if (groupId === undefined) throw new AuthError("permission_group_not_found");
      const known = declared ?? (await authorityStore.customRole(tx, groupId, role));
      if (known === undefined) throw notAssignable(persona, role);
      // The later generation lets a manifest appoint people who enrol at their first login.
      if (
        known.requiresMfa &&
        config.contract === "0.73" &&
        config.mfa.mode !== "disabled" &&
        subject.kind === "user"
      ) {
        if (!(await authorityStore.hasFactor(tx, subject.id))) throw new AuthError("2fa_enrollment_required");
      }
      const changed = await authorityStore.setRole(tx, subject.kind, groupId, subject.id, role, clock.now());
      if (changed) {
        const details = { groupId, persona, role, declared: true };
        await audit.record(
          { action: "role.assigned", target: `${subject.kind}:${subject.id}`, outcome: "ok", details },
          context,
          tx,
        );
      }
      return changed;
    },

    findApplication: (slug, tx) => authorityStore.findApplication(tx, slug),
  };
}
