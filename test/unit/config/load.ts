import type { Config } from "../../../src/config/config.ts";
import { ConfigError, type LoadedConfig, type LoadOptions, loadConfig } from "../../../src/config/index.ts";
import { formatProblem } from "../../../src/config/problems.ts";

/** The least a production deployment needs. */
export const production: NodeJS.ProcessEnv = {
  AUTHKIT_ENV: "production",
  AUTHKIT_ISSUER: "https://auth.example.com",
  DB_URL: "postgres://auth:hidden@db.internal/auth",
  AUTHKIT_REDIS_ADDR: "redis.internal:6379",
  AUTHKIT_MGMT_TOKEN: "management-token-of-forty-characters-0000",
};

/** Loads with files given as text by path; nothing else exists. */
export function load(
  env: NodeJS.ProcessEnv,
  files: Readonly<Record<string, string>> = {},
  options: LoadOptions = {},
): LoadedConfig {
  const readFile = (path: string): string => {
    const content = files[path];
    if (content === undefined) throw Object.assign(new Error("no such file"), { code: "ENOENT" });
    return content;
  };
  return loadConfig(env, { cpus: 8, readFile, ...options });
}

export function config(env: NodeJS.ProcessEnv, files: Readonly<Record<string, string>> = {}): Config {
  return load(env, files).config;
}

/** Each problem as one line; empty when the configuration is accepted. */
export function problems(
  env: NodeJS.ProcessEnv,
  files: Readonly<Record<string, string>> = {},
): readonly string[] {
  try {
    load(env, files);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(formatProblem);
    throw error;
  }
}

/** The configuration a YAML text makes. */
export function fromYaml(
  yaml: string,
  env: NodeJS.ProcessEnv = {},
  files: Readonly<Record<string, string>> = {},
): Config {
  return config({ ...env, AUTHKIT_CONFIG: "authkit.yaml" }, { "authkit.yaml": yaml, ...files });
}

export function yamlProblems(
  yaml: string,
  env: NodeJS.ProcessEnv = {},
  files: Readonly<Record<string, string>> = {},
): readonly string[] {
  return problems({ ...env, AUTHKIT_CONFIG: "authkit.yaml" }, { "authkit.yaml": yaml, ...files });
}
