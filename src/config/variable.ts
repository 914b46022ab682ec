import type { ValueType } from "./values.ts";

/** Which contract knows the variable: both generations, the later one only, or this server alone. */
export type Origin = "contract" | "later" | "ours";

export interface Alias {
  readonly name: string;
  /** Read with a warning that names the current name. */
  readonly deprecated: boolean;
}

/** One setting: everything that is known about it, as data. */
export interface Variable<T> {
  readonly name: string;
  readonly type: ValueType<NonNullable<T>>;
  readonly default: T;
  /** How the default reads when it is computed or needs words. */
  readonly defaultText: string | undefined;
  readonly doc: string;
  readonly origin: Origin;
  /** Masked in output, never repeated in a message. */
  readonly secret: boolean;
  /** Also read from `<NAME>_FILE`; always so for secrets. */
  readonly file: boolean;
  /** The value is taken as it is, with surrounding white space. */
  readonly verbatim: boolean;
  /** Dotted path in the YAML file, when it can be written there too. */
  readonly yaml: string | undefined;
  readonly aliases: readonly Alias[];
}

interface Details {
  readonly doc: string;
  readonly defaultText?: string;
  readonly origin?: Origin;
  readonly secret?: true;
  readonly file?: true;
  readonly verbatim?: true;
  readonly yaml?: string;
  readonly aliases?: readonly Alias[];
}

/** Declares a variable with a default. */
export function variable<T>(
  name: string,
  type: ValueType<NonNullable<T>>,
  fallback: NoInfer<T>,
  details: Details,
): Variable<T> {
  return {
    name,
    type,
    default: fallback,
    defaultText: details.defaultText,
    doc: details.doc,
    origin: details.origin ?? "ours",
    secret: details.secret ?? false,
    file: details.file ?? details.secret ?? false,
    verbatim: details.verbatim ?? false,
    yaml: details.yaml,
    aliases: details.aliases ?? [],
  };
}

/** Declares a variable that stays undefined when it is not set; `defaultText` says what then holds. */
export function optional<T>(
  name: string,
  type: ValueType<NonNullable<T>>,
  details: Details,
): Variable<T | undefined> {
  return variable<T | undefined>(name, type, undefined, details);
}
