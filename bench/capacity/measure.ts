/**
 * `npm run capacity:measure [-- <accounts> [<requests>]]`: what one request of each kind writes, and how large rows and keys are, on a
 * PostgreSQL and a Redis of its own with the default limits. Prints JSON: the `stores` of figures.json.
 */

import { count } from "../options.ts";
import { processTree, workerName } from "../processes.ts";
import { seed } from "../seed.ts";
import { issuer, startCluster, startPostgres, startRedis } from "../services.ts";
import { type KeyBytes, openStores, type Reading } from "./measure/stores.ts";
import { drive, type Session, traffics } from "./measure/traffic.ts";

const argon2 = "m=1024,t=1,p=1";
const idleSeconds = 10;
/** What is left to send when the last answer has come, in time. */
const settleMs = 15_000;

/** Groups keys by what they are for: the parts that no address, account or token is in. */
function kindOf(key: string): string {
  return key
    .replace(/^bench\d+:/, "")
    .split(":")
    .filter((part) => /^[a-z0-9_]{1,30}$/.test(part) && !/^\d+$/.test(part) && !/[0-9a-f]{16}/.test(part))
    .join(":");
}

/** CPU seconds so far by kind of process. */
function cpuOf(cluster: number, postgres: number): Readonly<Record<string, number>> {
  const sums: Record<string, number> = {
    database: processTree(postgres).reduce((sum, { cpu }) => sum + cpu, 0),
  };
  for (const { pid, cpu } of processTree(cluster)) {
    const kind = workerName(pid).split(":")[0] ?? "";
    sums[kind] = (sums[kind] ?? 0) + cpu;
  }
  return sums;
}

const [accountsText = "20000", requestsText = "4000"] = process.argv.slice(2);
const accounts = count(accountsText, "accounts", 1_000);
const requests = Math.min(accounts, count(requestsText, "requests", 100));
const postgres = await startPostgres();
const redis = await startRedis();
try {
  const options = { httpWorkers: 2, hashingWorkers: 1, argon2, nodeOptions: undefined };
  const env = { AUTHKIT_TRUSTED_PROXIES: "127.0.0.1/32", AUTHKIT_PASSWORDLESS: "true" };
  const settings = { databaseUrl: postgres.url, redisUrl: redis.url, limited: true, env };
  await (await startCluster(options, settings)).stop();
  await seed({ databaseUrl: postgres.url, issuer, from: 0, to: accounts, argon2 });
  const stores = await openStores(postgres.url, redis.url);
  // Sessions as sign-in and refresh leave them, not as seeded.
  await stores.query("TRUNCATE authkit.refresh_sessions, authkit.session_events");
  const cluster = await startCluster(options, settings);
  try {
    const sessions = new Map<number, Session>();
    const idleFrom = await stores.read();
    await new Promise((resolve) => setTimeout(resolve, idleSeconds * 1_000));
    const idleTo = await stores.read();
    const idleWrites = (idleTo.writes - idleFrom.writes) / (idleSeconds + 1.5);
    const operations: Record<string, object> = {};
    const keys: Record<string, KeyBytes & { readonly each: number }> = {};
    // Else the first change of each page after the seeding would write the whole page to the log.
    await stores.query("ALTER SYSTEM SET full_page_writes = off");
    await stores.query("SELECT pg_reload_conf()");
    for (const traffic of traffics) {
      const before: Reading = await stores.read();
      const cpuBefore = cpuOf(cluster.pid, postgres.pid);
      const started = performance.now();
      await drive(cluster.url, traffic, requests, sessions);
      // Messages go out behind the answers.
      if (traffic.sends === true) await new Promise((resolve) => setTimeout(resolve, settleMs));
      const cpuAfter = cpuOf(cluster.pid, postgres.pid);
      const after = await stores.read();
      const seconds = (performance.now() - started) / 1000;
      const each = (total: number): number => Math.round((total / requests) * 100) / 100;
      operations[traffic.name] = {
        writes: each(Math.max(0, after.writes - before.writes - idleWrites * seconds)),
        walBytes: Math.round((after.walBytes - before.walBytes) / requests),
        rows: Object.fromEntries(
          Object.entries(after.rows)
            .map(([table, changes]) => [table, each(changes - (before.rows[table] ?? 0))] as const)
            .filter(([, changes]) => changes > 0.01),
        ),
        redisCalls: each(after.redisCalls - before.redisCalls),
        redisBytes: Math.round((after.redisBytes - before.redisBytes) / requests),
        cpuMs: Object.fromEntries(
          Object.entries(cpuAfter).map(([kind, cpu]) => [kind, each((cpu - (cpuBefore[kind] ?? 0)) * 1000)]),
        ),
      };
      // Now, because some live for a minute only.
      for (const [kind, found] of Object.entries(await stores.keys(kindOf)))
        if (!kind.startsWith("dev:")) keys[kind] ??= { ...found, each: each(found.keys) };
      process.stderr.write(`${traffic.name}: ${seconds.toFixed(0)} s\n`);
    }
    const tables = await stores.tables([
      "users",
      "user_passwords",
      "refresh_sessions",
      "session_events",
      "audit_log",
    ]);
    console.log(JSON.stringify({ accounts, requests, idleWrites, operations, tables, keys }, null, 2));
  } finally {
    await stores.close();
    await cluster.stop();
  }
} finally {
  await redis.stop();
  await postgres.stop();
}
