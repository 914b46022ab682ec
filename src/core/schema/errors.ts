export type SchemaProblem =
  | "server_too_old"
  | "digest_mismatch"
  | "adoption_needed"
  | "nothing_to_adopt"
  | "adoption_blocked"
  | "malformed_migration";

/** The database cannot be brought to the wanted shape; the message tells an operator what to do. */
export class SchemaError extends Error {
  override readonly name = "SchemaError";
  readonly problem: SchemaProblem;

  constructor(problem: SchemaProblem, message: string) {
    super(message);
    this.problem = problem;
  }
}
