import type { Config } from "../../config/config.ts";
import { pendingMigrations } from "../../core/schema/index.ts";
import { offsetWithin } from "../../platform/postgres/index.ts";
import type { Database } from "../../platform/postgres/port.ts";
import { type Finding, messageOf, ok, problem, warning } from "./finding.ts";
import { doctorStore } from "./store.ts";

const oldestVersion = 150_000;
/** Beyond it tokens of one node look expired, or not yet valid, to another. */
const worstSkewMs = 2_000;
const badSkewMs = 500;

function skewFinding(sent: number, received: number, now: Date): Finding {
  const skew = offsetWithin(sent, now.getTime(), received);
  const text = `clock: ${Math.abs(Math.round(skew))} ms from the database's`;
  const fix = "let chrony or systemd-timesyncd keep the time on both machines";
  if (Math.abs(skew) >= worstSkewMs) return problem(text, fix);
  return Math.abs(skew) >= badSkewMs ? warning(text, fix) : ok(text);
}

/** Connections of one node's pools: http, management and jobs workers. */
function demandedConnections({ server, database }: Config): number {
  return (server.httpWorkers + server.managementWorkers) * database.poolMax + 4;
}

/** Reachability, version, room for connections, clock, migrations. */
export async function checkDatabase(database: Database, config: Config): Promise<Finding[]> {
  let facts: Awaited<ReturnType<typeof doctorStore.facts>>;
  let sent = Date.now();
  try {
    // The first statement pays for the connection; the clock is compared on the second.
    await doctorStore.facts(database);
    sent = Date.now();
    facts = await doctorStore.facts(database);
  } catch (error) {
    return [
      problem(
        `PostgreSQL: ${messageOf(error)}`,
        "check host, port, credentials and database of DB_URL, and that the server accepts connections from here",
      ),
    ];
  }
  const received = Date.now();
  const findings: Finding[] = [];
  const version = `PostgreSQL ${facts.versionText}, ${facts.encrypted ? "encrypted" : "not encrypted"}`;
  if (facts.version < oldestVersion) findings.push(problem(version, "upgrade PostgreSQL to 15 or later"));
  else findings.push(ok(version));
  if (facts.readOnly)
    findings.push(problem("PostgreSQL accepts no writes: it is a standby", "point DB_URL at the primary"));
  const demanded = demandedConnections(config);
  if (demanded > facts.maxConnections * 0.8)
    findings.push(
      warning(
        `connections: this node may open ${demanded} of ${facts.maxConnections}`,
        "lower pool_max_conns in DB_URL, raise max_connections, or put PgBouncer in between",
      ),
    );
  else findings.push(ok(`connections: this node opens at most ${demanded} of ${facts.maxConnections}`));
  findings.push(skewFinding(sent, received, facts.now));
  try {
    const pending = await pendingMigrations(database);
    findings.push(
      pending.length === 0
        ? ok("migrations: all applied")
        : problem(
            `migrations: ${pending.length} pending (${pending.join(", ")})`,
            "run `authkit-server migrate`, or set AUTHKIT_MIGRATE_ON_START=true",
          ),
    );
  } catch (error) {
    findings.push(
      problem(`migrations: ${messageOf(error)}`, "run `authkit-server migrate adopt` for a report"),
    );
  }
  return findings;
}
