export { createDatabase, type DatabaseOptions } from "./database.ts";
export { type Dsn, InvalidDsn, parseDsn } from "./dsn.ts";
export { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded.ts";
export { DatabaseError } from "./failures.ts";
export { isSchemaName, quoteSchema } from "./rendering.ts";
