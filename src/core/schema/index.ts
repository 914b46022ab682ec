export { type Adoption, type AdoptionReport, adopt, adoptionReport } from "./adoption.ts";
export { SchemaError, type SchemaProblem } from "./errors.ts";
export type { Migration } from "./files.ts";
export type { Generation } from "./generation.ts";
export {
  label,
  type MigrateOptions,
  type MigrationStatus,
  migrateUp,
  migrationStatus,
  pendingMigrations,
} from "./migrate.ts";
