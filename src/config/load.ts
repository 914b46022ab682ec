import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import * as accounts from "./compose/accounts.ts";
import { composeAddresses } from "./compose/addresses.ts";
import { composeDatabase } from "./compose/database.ts";
import { composeApplications, composeLanguages, composePasskeys, composeSolana } from "./compose/identity.ts";
import type { DevelopmentSecrets, Input } from "./compose/input.ts";
import { composeKeys } from "./compose/keys.ts";
import { composeRedis } from "./compose/redis.ts";
import { composeManagement, composeServer } from "./compose/server.ts";
import { composeDevelopment, composeLog, composeProviders, composeSenders } from "./compose/services.ts";
import type { Config } from "./config.ts";
import { classifyEnvironment } from "./environment.ts";
import { ConfigError, Findings } from "./problems.ts";
import { readSettings } from "./read.ts";

export interface LoadedConfig {
  readonly config: Config;
  /** What the operator should know; each names its variable or YAML path. */
  readonly warnings: readonly string[];
}

export interface LoadOptions {
  /** Default: the file system, UTF-8. */
  readonly readFile?: (path: string) => string;
  /** CPUs to size workers and pools by; default those this process may use. */
  readonly cpus?: number;
  /** Secrets of `ensureDevelopmentSecrets`; read only in the development class. */
  readonly developmentSecrets?: DevelopmentSecrets | undefined;
  /**
   * `database`: refuse only what concerns the database, for commands that need no more (`migrate` runs before a deployment has its
   * other secrets). The other parts of the result may then hold placeholders.
   */
  readonly demands?: "everything" | "database";
}

const databaseSettings = /^(DB_URL|DATABASE_URL|AUTHKIT_SCHEMA|AUTHKIT_DB_|AUTHKIT_ENV)/;

/**
 * The configuration of this environment: parsed, checked, with every default applied, deeply frozen. Reads the files the
 * environment names and writes nothing.
 *
 * @throws ConfigError with every problem found, each with its variable or YAML path, what is accepted and what to do.
 */
export function loadConfig(env: NodeJS.ProcessEnv, options: LoadOptions = {}): LoadedConfig {
  const findings = new Findings();
  const readFile = options.readFile ?? ((path: string) => readFileSync(path, "utf8"));
  const environment = classifyEnvironment(env, findings);
  const config = compose({
    ...readSettings({ env, readFile, findings }),
    environment,
    development: environment.class === "development",
    env,
    cpus: options.cpus ?? availableParallelism(),
    findings,
    developmentSecrets: options.developmentSecrets,
  });
  const problems =
    options.demands === "database"
      ? findings.problems.filter(({ where }) => databaseSettings.test(where))
      : findings.problems;
  if (problems.length > 0) throw new ConfigError(problems, findings.warnings);
  return { config: freeze(config), warnings: Object.freeze(findings.warnings) };
}

function compose(input: Input): Config {
  const { values, sections, environment } = input;
  const { publicUrl, ...addresses } = composeAddresses(input);
  const senders = composeSenders(input);
  const personas = sections.personas ?? [];
  return {
    environment,
    contract: values.contract,
    strictStatus: values.strictStatus,
    machinesMayBan: values.machinesMayBan,
    ...addresses,
    server: composeServer(input),
    discovery: values.discovery,
    database: composeDatabase(input),
    redis: composeRedis(input),
    management: composeManagement(input),
    keys: composeKeys(input),
    tokens: accounts.composeTokens(input),
    sessions: accounts.composeSessions(input),
    registration: accounts.composeRegistration(input, senders),
    passwords: accounts.composePasswords(input),
    passwordless: accounts.composePasswordless(input),
    mfa: accounts.composeMfa(input, senders),
    stepUp: { strict: values.stepUpStrict, admin: values.stepUpForAdmin },
    passkeys: composePasskeys(input, addresses),
    languages: composeLanguages(input),
    providers: composeProviders(input),
    federation: {
      publicUrl,
      linkRequiresStepUp: values.linkStepUp,
      linkSession: values.linkSession,
      legacySubjects: values.legacySubjects,
      unverifiedEmail: values.unverifiedEmail,
      resultMode: values.oidcResultMode,
    },
    solana: composeSolana(input, addresses),
    apiKeys: { prefix: values.apiKeyPrefix, maxTtlSeconds: Math.max(0, values.apiKeyMaxTtl / 1_000) },
    personas,
    senders,
    limits: { enabled: values.limitsEnabled, buckets: sections.buckets ?? {} },
    applications: composeApplications(input, personas),
    delegation: sections.delegation,
    documents: sections.documents,
    bootstrap: { path: values.bootstrapPath },
    retention: accounts.composeRetention(input),
    development: composeDevelopment(input),
    log: composeLog(input),
    tracing: { enabled: values.tracing },
    stateDirectory: values.stateDirectory,
  };
}

/** Freezes plain objects and lists all the way down; buffers and dates cannot be frozen and stay as they are. */
function freeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || value instanceof Date)
    return value;
  for (const member of Object.values(value)) freeze(member);
  return Object.freeze(value);
}
