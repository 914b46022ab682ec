import type { Static, TSchema } from "typebox";
// The compiler alone: `typebox/compile` brings conversion, defaults and repair along, 146 files that nothing here uses.
import { Compile } from "typebox/schema";

/** Tells values of a schema from others. */
export interface SchemaCheck<S extends TSchema> {
  matches(value: unknown): value is Static<S>;
}

/**
 * The check of a schema, compiled when it is first needed: about a millisecond then, instead of a start that is longer, and a process that is
 * larger, by the checks of all routes.
 */
export function schemaCheck<S extends TSchema>(schema: S): SchemaCheck<S> {
  let compiled: { Check(value: unknown): boolean } | undefined;
  return {
    matches(value): value is Static<S> {
      compiled ??= Compile(schema);
      return compiled.Check(value);
    },
  };
}
