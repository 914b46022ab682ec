import { ensureDevelopmentSecrets } from "./development.ts";
import { classifyEnvironment } from "./environment.ts";
import { type LoadedConfig, loadConfig } from "./load.ts";
import { variables } from "./variables.ts";

export type { Config } from "./config.ts";
export { ensureDevelopmentSecrets, managementTokenFile } from "./development.ts";
export { type LoadedConfig, type LoadOptions, loadConfig } from "./load.ts";
export { ConfigError, formatProblem, type Problem } from "./problems.ts";

/**
 * The configuration of a command that works on the database alone: nothing but the database needs to be configured.
 *
 * @throws ConfigError
 */
export function loadDatabaseConfig(env: NodeJS.ProcessEnv): LoadedConfig {
  return loadConfig(env, { demands: "database" });
}

/**
 * {@link loadConfig} for a process that runs the server: in the development class the secrets nobody configured are made and kept
 * in the state directory first.
 *
 * @throws ConfigError
 */
export function loadProcessConfig(env: NodeJS.ProcessEnv): LoadedConfig {
  if (classifyEnvironment(env).class !== "development") return loadConfig(env);
  const { name, default: fallback } = variables.stateDirectory;
  return loadConfig(env, {
    developmentSecrets: ensureDevelopmentSecrets((env[name] ?? "").trim() || fallback),
  });
}
