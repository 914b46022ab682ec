import { lookup, type Queryable } from "../../platform/postgres/port.ts";

const proofs = lookup(
  "stepUp.proofs",
  (s) => `
  SELECT u.email::text AS email,
    EXISTS (SELECT FROM ${s}.user_passwords AS p WHERE p.user_id = u.id) AS "hasPassword",
    ARRAY(SELECT DISTINCT l.provider_slug FROM ${s}.user_providers AS l WHERE l.user_id = u.id ORDER BY 1) AS providers
  FROM ${s}.users AS u WHERE u.id = $1`,
);

/** What an account could prove itself with, beside its second factors. */
export interface ProofsRow {
  readonly email: string | null;
  readonly hasPassword: boolean;
  readonly providers: readonly string[];
}

export const stepUpStore = {
  proofs: (on: Queryable, userId: string) => on.row<ProofsRow>(proofs, [userId]),
};
