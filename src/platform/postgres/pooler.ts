import { Client } from "pg";
import type { DatabaseConfig } from "../../config/config.ts";
import { reachableClientConfig } from "./client-config.ts";

/** SQLSTATEs of a prepared statement that is there already, or is not there: two clients share a connection without knowing. */
const shared: ReadonlySet<unknown> = new Set(["42P05", "26000"]);
const probe = { name: "authkit_probe", text: "SELECT 1" };

/**
 * Makes sure that prepared statements belong to their connection. Behind a pooler in transaction mode that does not track them (PgBouncer
 * before 1.21, or with `max_prepared_statements = 0`) statements would fail now and then, under load most of all.
 *
 * @throws Error that names both ways out
 */
export async function assertPreparedStatements(config: DatabaseConfig): Promise<void> {
  if (!config.preparedStatements) return;
  const connection = await reachableClientConfig(config);
  const clients = [new Client(connection), new Client(connection)];
  try {
    for (const client of clients) {
      client.on("error", () => undefined);
      await client.connect();
      // One after the other: a pooler hands both the same connection.
      await client.query(probe);
    }
    for (const client of clients) await client.query(probe);
  } catch (error) {
    const code = typeof error === "object" && error !== null && "code" in error ? error.code : undefined;
    if (!shared.has(code)) throw error;
    throw new Error(
      "DB_URL leads to a pooler in transaction mode that does not track prepared statements: add prepared_statements=false to its query, or set max_prepared_statements in PgBouncer 1.21 or later",
    );
  } finally {
    await Promise.all(clients.map((client) => client.end().catch(() => undefined)));
  }
}
