/** One thing wrong with the configuration, in words an operator can act on. */
export interface Problem {
  /** Variable name, or `file:line: yaml.path`. */
  readonly where: string;
  /** What is wrong, with the bad value unless it is a secret. */
  readonly message: string;
  /** What to do about it. */
  readonly fix: string | undefined;
}

/** The configuration cannot be used. Carries every problem found, not only the first. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly Problem[];
  /** A mistyped name is often why another one is missing. */
  readonly warnings: readonly string[];

  constructor(problems: readonly Problem[], warnings: readonly string[] = []) {
    super([...problems.map(formatProblem), ...warnings.map((warning) => `warning: ${warning}`)].join("\n"));
    this.problems = problems;
    this.warnings = warnings;
  }
}

/** One line: `AUTHKIT_X: what is wrong; what to do`. */
export function formatProblem(problem: Problem): string {
  return `${problem.where}: ${problem.message}${problem.fix === undefined ? "" : `; ${problem.fix}`}`;
}

/** Collects problems and warnings while the configuration is read, so that one run reports them all. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly warnings: string[] = [];

  refuse(where: string, message: string, fix?: string): void {
    this.problems.push({ where, message, fix });
  }

  warn(where: string, message: string): void {
    this.warnings.push(`${where}: ${message}`);
  }
}
