import { AuthError } from "../../contract/errors/index.ts";
import { ConstraintViolation, type Queryable, sql } from "../../platform/postgres/port.ts";
import type { Audit } from "../audit/types.ts";
import { isAttributeKey, isStorableJson, isUuid } from "../identifiers/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { AttributeDefinition } from "./types.ts";

const maxVersion = 2 ** 31 - 1;

const columns = `remote_application_id AS "remoteApplicationId", key, version, definition::text AS definition`;

const find = sql(
  "attributeDefinitions.find",
  (s) => `
  SELECT ${columns} FROM ${s}.remote_application_attribute_defs
  WHERE remote_application_id = $1 AND key = $2 AND ($3::int <= 0 OR version = $3)
  ORDER BY version DESC LIMIT 1`,
);

const list = sql(
  "attributeDefinitions.list",
  (s) => `
  SELECT ${columns} FROM ${s}.remote_application_attribute_defs WHERE remote_application_id = $1 ORDER BY key, version`,
);

const put = sql(
  "attributeDefinitions.put",
  (s) => `
  INSERT INTO ${s}.remote_application_attribute_defs (remote_application_id, key, version, definition, created_at, updated_at)
  VALUES ($1, $2, $3, $4::text::jsonb, $5, $5)
  ON CONFLICT (remote_application_id, key, version) DO UPDATE SET definition = excluded.definition, updated_at = excluded.updated_at
  RETURNING ${columns}`,
);

const remove = sql(
  "attributeDefinitions.remove",
  (s) => `DELETE FROM ${s}.remote_application_attribute_defs WHERE remote_application_id = $1 AND key = $2`,
);

const application = sql(
  "attributeDefinitions.application",
  (s) => `SELECT 1 AS one FROM ${s}.remote_applications WHERE id = $1 AND deleted_at IS NULL`,
);

/**
 * The registry of attributes that delegated tokens name instead of carrying them: (application, key, version) to a JSON document. All throw
 * `invalid_attribute_def` for a blank application or key.
 */
export interface AttributeDefinitions {
  /** `version` ≤ 0 = the highest. Throws `attribute_def_not_found`. */
  attributeDefinition(applicationId: string, key: string, version: number): Promise<AttributeDefinition>;
  /** By key and version. Throws `remote_application_not_found`. */
  attributeDefinitions(applicationId: string): Promise<AttributeDefinition[]>;
  /**
   * Stores a JSON document, over the one of the same version; `version` ≤ 0 = 1. Throws `invalid_attribute_def` also for a key of other
   * characters than `[a-zA-Z0-9:._-]` (128 at most) and for `null`; `remote_application_not_found`.
   */
  defineAttribute(
    applicationId: string,
    key: string,
    version: number,
    definition: string,
    context: CallContext,
  ): Promise<AttributeDefinition>;
  /** Every version of the key. Throws `attribute_def_not_found`. */
  removeAttribute(applicationId: string, key: string, context: CallContext): Promise<void>;
}

function parsed(applicationId: string, key: string) {
  const id = applicationId.trim().toLowerCase();
  const name = key.trim();
  if (id === "" || name === "") throw new AuthError("invalid_attribute_def");
  return { id, name, storable: isUuid(id) && isAttributeKey(name) };
}

export function createAttributeDefinitions(
  platform: Pick<Platform, "database" | "clock">,
  audit: Audit,
): AttributeDefinitions {
  const { database, clock } = platform;

  function written(on: Queryable, values: readonly [string, string, number, string]) {
    return on.row<AttributeDefinition>(put, [...values, clock.now()]);
  }

  return {
    async attributeDefinition(applicationId, key, version) {
      const { id, name, storable } = parsed(applicationId, key);
      const found = storable ? await database.row<AttributeDefinition>(find, [id, name, version]) : undefined;
      if (found === undefined) throw new AuthError("attribute_def_not_found");
      return found;
    },

    async attributeDefinitions(applicationId) {
      const { id } = parsed(applicationId, "any");
      if (!isUuid(id) || (await database.row(application, [id])) === undefined)
        throw new AuthError("remote_application_not_found");
      return database.rows<AttributeDefinition>(list, [id]);
    },

    async defineAttribute(applicationId, key, version, definition, context) {
      const { id, name } = parsed(applicationId, key);
      if (
        !isAttributeKey(name) ||
        version > maxVersion ||
        definition === "null" ||
        !isStorableJson(definition)
      )
        throw new AuthError("invalid_attribute_def");
      if (!isUuid(id)) throw new AuthError("remote_application_not_found");
      const number = version <= 0 ? 1 : version;
      try {
        return await database.transaction(async (tx) => {
          const stored = await written(tx, [id, name, number, definition]);
          if (stored === undefined) throw new Error("the attribute definition was not written");
          const details = { key: name, version: number };
          const target = `remote_application:${id}`;
          await audit.record(
            { action: "attribute_definition.stored", target, outcome: "ok", details },
            context,
            tx,
          );
          return stored;
        });
      } catch (error) {
        if (error instanceof ConstraintViolation && error.kind === "foreign_key")
          throw new AuthError("remote_application_not_found", { cause: error });
        throw error;
      }
    },

    async removeAttribute(applicationId, key, context) {
      const { id, name, storable } = parsed(applicationId, key);
      if (!storable) throw new AuthError("attribute_def_not_found");
      await database.transaction(async (tx) => {
        const versions = await tx.run(remove, [id, name]);
        if (versions === 0) throw new AuthError("attribute_def_not_found");
        const target = `remote_application:${id}`;
        await audit.record(
          { action: "attribute_definition.deleted", target, outcome: "ok", details: { key: name, versions } },
          context,
          tx,
        );
      });
    },
  };
}
