import type { EnvironmentConfig } from "../config.ts";
import type { Findings } from "../problems.ts";
import type { Settings } from "../read.ts";

/** Secrets made for development and kept in the state directory. */
export interface DevelopmentSecrets {
  readonly managementToken: string;
  readonly codeSecret: Buffer;
}

/** What the parts of the configuration are composed from. */
export interface Input extends Settings {
  readonly environment: EnvironmentConfig;
  readonly development: boolean;
  readonly env: NodeJS.ProcessEnv;
  readonly cpus: number;
  readonly findings: Findings;
  readonly developmentSecrets: DevelopmentSecrets | undefined;
}
