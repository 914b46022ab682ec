import type { ApplicationsConfig, DelegationConfig, DocumentsConfig } from "../config.ts";
import { leaf, maybe, object, required, type Shape } from "../shape.ts";
import { boolean, list, text } from "../values.ts";
import { personaName } from "./personas.ts";

const applicationsShape = object({
  self_registration: maybe(
    leaf(boolean),
    "Mount the routes by which applications register themselves; needs `org_persona`.",
  ),
  approve_by_default: maybe(
    leaf(boolean),
    "Tier of applications an operator registers: approved (default) or registered.",
  ),
  org_persona: maybe(
    leaf(personaName),
    "Persona, directly below root, whose groups self-registered applications own.",
  ),
});

/** `applications`. */
export const applications: Shape<ApplicationsConfig> = {
  schema: applicationsShape.schema,
  read(tree, at) {
    const given = applicationsShape.read(tree, at);
    if (given === undefined) return undefined;
    return {
      selfRegistration: given.self_registration ?? false,
      approveByDefault: given.approve_by_default ?? true,
      options: given.org_persona === undefined ? {} : { orgPersona: given.org_persona },
    };
  },
};

/** `delegation`: its presence mounts the route that mints delegated tokens for users. */
export const delegation: Shape<DelegationConfig> = object({
  audiences: required(leaf(list(text, { nonEmpty: true })), "Audiences delegated tokens may have."),
});

const documentsShape = object({
  reader_slugs: required(
    leaf(list(text, { nonEmpty: true })),
    "Slugs of the applications that may read signed documents.",
  ),
});

/** `documents`: its presence turns signed documents on. */
export const documents: Shape<DocumentsConfig> = {
  schema: documentsShape.schema,
  read(tree, at) {
    const given = documentsShape.read(tree, at);
    return given === undefined ? undefined : { readerSlugs: given.reader_slugs };
  },
};
