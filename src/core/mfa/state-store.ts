import { lookup, type Queryable } from "../../platform/postgres/port.ts";
import type { MfaState } from "./types.ts";

const selectState = lookup(
  "mfa.selectState",
  (s) => `
  SELECT coalesce(m.enabled, false) AS enabled, coalesce(cardinality(m.backup_codes), 0) AS "backupCodes",
    m.user_id IS NOT NULL AS "everEnrolled", coalesce(f.factors, '[]') AS factors
  FROM (SELECT $1::uuid AS user_id) AS asked
  LEFT JOIN ${s}.mfa_settings AS m ON m.user_id = asked.user_id
  LEFT JOIN LATERAL (
    SELECT jsonb_agg(
      jsonb_build_object('id', id, 'method', method, 'isDefault', is_default, 'phoneNumber', phone_number)
      ORDER BY is_default DESC, created_at, id
    ) AS factors
    FROM ${s}.mfa_factors WHERE user_id = asked.user_id
  ) AS f ON true`,
);

const noState: MfaState = { enabled: false, factors: [], backupCodes: 0, everEnrolled: false };

export const mfaStateStore = {
  /** Switch, factors (default first, then oldest) and number of unused backup codes, in one read. */
  async state(on: Queryable, userId: string): Promise<MfaState> {
    return (await on.row<MfaState>(selectState, [userId])) ?? noState;
  },
};
