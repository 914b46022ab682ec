import { AuthError } from "../../contract/errors/index.ts";
import { ConstraintViolation, type Queryable } from "../../platform/postgres/port.ts";
import type { Audit } from "../audit/index.ts";
import type { Groups } from "../groups/index.ts";
import { isStorable, isUuid } from "../identifiers/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import { createAttributeDefinitions } from "./attribute-definitions.ts";
import { parseStatement } from "./statement.ts";
import { applicationStore } from "./store.ts";
import type { ApplicationStatement, RemoteApplication, RemoteApplications } from "./types.ts";

export { createApplicationResolver } from "./resolver.ts";
export {
  createSelfRegistration,
  type RegisteredApplication,
  type SelfRegistration,
} from "./self-registration.ts";
export type {
  ApplicationKey,
  ApplicationStatement,
  AttributeDefinition,
  RemoteApplication,
  RemoteApplications,
} from "./types.ts";

export interface RemoteApplicationParts {
  readonly groups: Pick<Groups, "permissionsIn">;
  readonly audit: Audit;
}

type Stored = ReturnType<typeof parseStatement>;

function isSame(present: RemoteApplication, stored: Stored): boolean {
  const told = ({ slug, permissionGroupId, mode, jwksUri, publicKeys, enabled }: Stored): string =>
    JSON.stringify([slug, permissionGroupId, mode, jwksUri, publicKeys, enabled]);
  return told(present) === told(stored);
}

/** See {@link RemoteApplications}. */
export function createRemoteApplications(
  platform: Pick<Platform, "config" | "database" | "clock" | "random">,
  { groups, audit }: RemoteApplicationParts,
): RemoteApplications {
  const { config, database, clock, random } = platform;
  // What an operator registers; it changes nothing by itself.
  const tier = config.applications.approveByDefault ? "approved" : "registered";
  const rules = {
    ownIssuer: config.issuer,
    allowPrivate: config.environment.class === "development",
  };

  async function write(
    tx: Queryable,
    statement: ApplicationStatement,
    context: CallContext,
    {
      ownGroupOnly = false,
      keepSame = false,
    }: { readonly ownGroupOnly?: boolean; readonly keepSame?: boolean },
  ): Promise<RemoteApplication> {
    const stored = parseStatement(statement, rules);
    const at = clock.now();
    const present = await applicationStore.lockIssuer(tx, stored.issuer);
    const moved = present !== undefined && present.permissionGroupId !== stored.permissionGroupId;
    if (moved && ownGroupOnly) throw new AuthError("application_issuer_conflict");
    if (keepSame && present !== undefined && !moved) {
      const same = await applicationStore.byIssuer(tx, stored.issuer);
      if (same !== undefined && isSame(same, stored)) return same;
    }
    const written = await applicationStore.upsert(tx, random.uuid(), stored, at, tier);
    if (written === undefined) throw new Error("the application was not written");
    // What it was given in the group it left says nothing about the one it is in now.
    if (moved) await applicationStore.dropRoles(tx, written.id, present.permissionGroupId, at);
    await audit.record(
      {
        action: "application.stored",
        target: `remote_application:${written.id}`,
        outcome: "ok",
        details: { slug: written.slug, issuer: written.issuer, group: written.permissionGroupId },
      },
      context,
      tx,
    );
    return written;
  }

  function explained(error: unknown): unknown {
    if (!(error instanceof ConstraintViolation)) return error;
    if (error.kind === "unique") return new AuthError("application_slug_conflict", { cause: error });
    return new AuthError("permission_group_not_found", { cause: error });
  }

  function parsedIssuer(issuer: string): string {
    const text = issuer.trim();
    if (text === "" || !isStorable(text)) throw new AuthError("invalid_remote_application");
    return text;
  }

  return {
    check: (statement) => void parseStatement(statement, rules),

    async upsert(statement, context, { tx, ...options } = {}) {
      try {
        return await (tx === undefined
          ? database.transaction((own) => write(own, statement, context, options))
          : write(tx, statement, context, options));
      } catch (error) {
        throw explained(error);
      }
    },

    async byIssuer(issuer, on = database) {
      const found = await applicationStore.byIssuer(on, parsedIssuer(issuer));
      if (found === undefined) throw new AuthError("remote_application_not_found");
      return found;
    },

    list: (activeOnly) => applicationStore.list(database, activeOnly),
    ofGroup: (groupId) => applicationStore.ofGroup(database, groupId),
    async bySlug(slug) {
      return isStorable(slug) ? applicationStore.bySlug(database, slug.trim().toLowerCase()) : undefined;
    },

    async remove(issuer, context) {
      const text = parsedIssuer(issuer);
      await database.transaction(async (tx) => {
        const removed = await applicationStore.remove(tx, text);
        if (removed === undefined) throw new AuthError("remote_application_not_found");
        await audit.record(
          {
            action: "application.deleted",
            target: `remote_application:${removed.id}`,
            outcome: "ok",
            details: { slug: removed.slug, issuer: text },
          },
          context,
          tx,
        );
      });
    },

    async authority(applicationId) {
      const id = applicationId.trim().toLowerCase();
      if (id === "") throw new AuthError("invalid_remote_application");
      const owner = isUuid(id) ? await applicationStore.owner(database, id) : undefined;
      if (owner === undefined) throw new AuthError("remote_application_not_found");
      const permissions = await groups.permissionsIn({ id, kind: "remote_application" }, owner.groupId);
      return { permissions, persona: owner.persona, instanceSlug: owner.instanceSlug };
    },

    ...createAttributeDefinitions(platform, audit),
  };
}
