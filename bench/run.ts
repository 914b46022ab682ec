/**
 * `npm run bench`: starts PostgreSQL, Redis and the whole cluster, loads it, and prints every budget as a ratio against its raw limit measured
 * in the same run. Ends by itself; exit code 1 when a budget is missed.
 */
import { writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { Bench, Line } from "./bench.ts";
import { createObserver } from "./observation/observer.ts";
import { parseOptions } from "./options.ts";
import { costs, preamble, table } from "./report.ts";
import { scenarios } from "./scenarios/index.ts";
import { seed } from "./seed.ts";
import { issuer, startCluster, startPostgres, startRedis } from "./services.ts";

const defaultArgon2 = "m=65536,t=1,p=1";

const options = parseOptions(process.argv.slice(2), availableParallelism());
if (options !== undefined) {
  const chosen = scenarios.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  const unknown = options.only.filter((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown.length > 0) {
    throw new Error(
      `unknown scenario ${unknown.join(", ")}; there are ${scenarios.map((s) => s.name).join(", ")}`,
    );
  }
  const argon2 = options.argon2 ?? defaultArgon2;
  const postgres = await startPostgres();
  const redis = await startRedis();
  const settings = { databaseUrl: postgres.url, redisUrl: redis.url, env: { AUTHKIT_ARGON2: argon2 } };
  const lines: Line[] = [];
  try {
    // The first start migrates; the one that is measured comes later, as on every day but the first.
    await (await startCluster(options, settings)).stop();
    await seed({ databaseUrl: postgres.url, issuer, from: 0, to: options.users, argon2 });
    const cluster = await startCluster(options, settings);
    const observer = await createObserver(postgres, redis);
    let sessions = 0;
    const bench: Bench = {
      options,
      postgres,
      databaseUrl: postgres.url,
      argon2,
      cluster,
      startCluster: (more) =>
        startCluster(options, { ...settings, ...more, env: { ...settings.env, ...more.env } }),
      observe: (work, observed = cluster) => observer.observe(observed, work),
      takeSessions(count) {
        const first = sessions;
        sessions += count;
        if (sessions > options.users)
          throw new Error(`--users is too small: ${sessions} sessions are needed`);
        return first;
      },
    };
    console.log(`${preamble(options, argon2)}\n`);
    try {
      for (const scenario of chosen) {
        process.stderr.write(`${scenario.name}…\n`);
        lines.push(...(await scenario.run(bench)));
      }
    } finally {
      await observer.close();
      await cluster.stop();
    }
  } finally {
    await redis.stop();
    await postgres.stop();
  }
  console.log(`${table(lines)}\n\n${costs(lines)}`);
  if (options.json !== undefined) {
    await writeFile(options.json, `${JSON.stringify({ options, argon2, lines }, null, 2)}\n`);
  }
  process.exitCode = lines.some(({ met }) => met === false) ? 1 : 0;
}
