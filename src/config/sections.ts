import { buckets } from "./sections/limits.ts";
import { applications, delegation, documents } from "./sections/machines.ts";
import { personas } from "./sections/personas.ts";
import { providers } from "./sections/providers.ts";
import { mailSender, smsSender } from "./sections/senders.ts";
import type { Shape } from "./shape.ts";

export interface Section<T> {
  /** Dotted path in the YAML file. */
  readonly yaml: string;
  readonly shape: Shape<T>;
  readonly doc: string;
}

function section<T>(yaml: string, shape: Shape<T>, doc: string): Section<T> {
  return { yaml, shape, doc };
}

/** Settings with a structure, which exist in the YAML file alone. */
export const sections = {
  providers: section("providers", providers, "Identity providers."),
  personas: section(
    "personas",
    personas,
    "Personas and their roles. Without any there is only the built-in `root`.",
  ),
  mail: section("senders.mail", mailSender, "Mail sender: `kind` smtp, webhook or console."),
  sms: section("senders.sms", smsSender, "SMS sender: `kind` twilio, webhook or console."),
  buckets: section(
    "limits.buckets",
    buckets,
    "Overrides of single rate-limit buckets: `off`, or limit, window and cooldown.",
  ),
  applications: section("applications", applications, "Remote applications."),
  delegation: section(
    "delegation",
    delegation,
    "Delegated tokens for users; absent = the route is not mounted.",
  ),
  documents: section("documents", documents, "Signed documents; absent = off."),
};

export type SectionValues = {
  readonly [K in keyof typeof sections]: (typeof sections)[K] extends Section<infer T>
    ? T | undefined
    : never;
};
