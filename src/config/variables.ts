import type { Variable } from "./variable.ts";
import { accounts } from "./variables/accounts.ts";
import { place } from "./variables/place.ts";
import { secrets } from "./variables/secrets.ts";
import { services } from "./variables/services.ts";
import { serving } from "./variables/serving.ts";

/** The areas in the order of the reference. */
export const areas = {
  "Deployment and addresses": place,
  "Listeners, processes, database and Redis": serving,
  "Management API and keys": secrets,
  "Accounts, tokens and policies": accounts,
  "Senders, identity providers, development and log": services,
};

/** Every environment variable this server reads. Parsing, files of secrets, reference and JSON Schema come from this table. */
export const variables = { ...place, ...serving, ...secrets, ...accounts, ...services };

type Variables = typeof variables;
export type Values = { readonly [K in keyof Variables]: Variables[K] extends Variable<infer T> ? T : never };
export type VariableKey = keyof Variables;

/** Names other programs of the contract's family read; they get a hint instead of a "did you mean". */
export const retired: Readonly<Record<string, string>> = {
  AUTHKIT_BOOTSTRAP_ON_START: "is not read: setting AUTHKIT_BOOTSTRAP_PATH is enough",
};
