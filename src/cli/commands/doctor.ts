import { join } from "node:path";
import { createPlatform } from "../../../workers/platform.ts";
import { type Config, ConfigError, formatProblem, loadProcessConfig } from "../../config/index.ts";
import { createInProcessHasher } from "../../platform/hashing/in-process.ts";
import { silentLog } from "../../platform/log/port.ts";
import { createMetrics } from "../../platform/metrics/prometheus.ts";
import { startEmbeddedPostgres } from "../../platform/postgres/index.ts";
import { checkDatabase } from "../doctor/database.ts";
import { checkEngine } from "../doctor/engine.ts";
import { type Finding, findingLines, messageOf, ok, problem, warning } from "../doctor/finding.ts";
import { checkHashing, checkKernel, checkOpenFiles, checkPort } from "../doctor/machine.ts";
import { checkProgram } from "../doctor/program.ts";
import { checkRedis } from "../doctor/redis.ts";
import { checkKeys, checkSenders } from "../doctor/services.ts";

const usage = `Usage: authkit-server doctor

Checks the configuration, PostgreSQL, Redis, signing keys, senders, the port, clocks and the machine, and says of everything
that is not well what to do. Changes nothing and sends nothing. Exit code: 0 well, 1 something keeps the server from working.`;

/** The checks that need PostgreSQL. */
async function checkStores(config: Config): Promise<Finding[]> {
  const postgres =
    config.database.url === "embedded"
      ? await startEmbeddedPostgres({ directory: join(config.stateDirectory, "postgres"), log: silentLog })
      : undefined;
  const resolved =
    postgres === undefined ? config : { ...config, database: { ...config.database, url: postgres.url } };
  const platform = createPlatform(
    { ...resolved, database: { ...resolved.database, poolMin: 0 } },
    {
      name: "doctor",
      log: silentLog,
      metrics: createMetrics("doctor"),
      poolMax: 2,
      hasher: createInProcessHasher(config.passwords.argon2),
    },
  );
  try {
    const database = await checkDatabase(platform.database, resolved);
    const usable = database.every(({ state }) => state !== "problem");
    // Managed keys are in the database; without it nothing can be said about them.
    return [...database, ...(usable ? await checkKeys(platform) : [])];
  } finally {
    await platform.close();
    await postgres?.stop();
  }
}

async function guarded(what: string, check: Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await check;
  } catch (error) {
    return [problem(`${what}: ${messageOf(error)}`, "see the message; AUTHKIT_LOG_LEVEL=debug tells more")];
  }
}

/** `authkit-server doctor`. Returns the exit code. */
export async function doctorCommand(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  print: (line: string) => void,
): Promise<number> {
  if (args.length > 0) {
    print(usage);
    return args.includes("--help") || args.includes("-h") ? 0 : 2;
  }
  let bad = 0;
  const report = (findings: readonly Finding[]): void => {
    for (const finding of findings) {
      if (finding.state === "problem") bad += 1;
      for (const line of findingLines(finding)) print(line);
    }
  };

  let config: Config;
  try {
    const loaded = loadProcessConfig(environment);
    config = loaded.config;
    report([ok(`configuration: complete, ${config.environment.class}`)]);
    report(loaded.warnings.map((text) => warning(`configuration: ${text}`, "see docs/configuration.md")));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    report(
      error.problems.map((one) =>
        problem(`configuration: ${one.where}: ${one.message}`, one.fix ?? formatProblem(one)),
      ),
    );
    return 1;
  }
  report(await guarded("PostgreSQL", checkStores(config)));
  report(await guarded("Redis", checkRedis(config, silentLog)));
  report(await guarded("senders", checkSenders(config)));
  report(await guarded("port", checkPort(config)));
  report(await guarded("HTTP engine", Promise.resolve(checkEngine(config))));
  report(await guarded("program", checkProgram()));
  report(await guarded("hashing", checkHashing(config)));
  report(await guarded("kernel", checkKernel()));
  report(await guarded("open files", checkOpenFiles()));
  print(bad === 0 ? "\nnothing keeps the server from working" : `\n${bad} problem(s)`);
  return bad === 0 ? 0 : 1;
}
