export { type Dsn, InvalidDsn, parseDsn } from "../../config/dsn.ts";
export { postgresClientConfig, reachableClientConfig } from "./client-config.ts";
export { clockOffset, offsetWithin, watchClock } from "./clock-offset.ts";
export { createDatabase, type DatabaseOptions } from "./database.ts";
export { type EmbeddedPostgres, startEmbeddedPostgres } from "./embedded.ts";
export { DatabaseError, isConnectionFailure as isDatabaseAway } from "./failures.ts";
export { assertPreparedStatements } from "./pooler.ts";
export { isSchemaName, quoteSchema } from "./rendering.ts";
