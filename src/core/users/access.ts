/** The columns that decide whether an account may be used. */
export interface AccessState {
  readonly deletedAt: Date | null;
  /** `metadata.reserved` is the JSON boolean `true`. */
  readonly reserved: boolean;
  readonly bannedAt: Date | null;
  readonly bannedUntil: Date | null;
  readonly banReason: string | null;
  readonly bannedBy: string | null;
}

/** `ban_lapsed`: admitted, once the ended ban has been cleared. */
export type AccessDecision = "admitted" | "refused" | "ban_lapsed";

/** The access gate: deleted, reserved, a ban whose end has passed, any other ban – in this order. */
export function decideAccess(state: AccessState, now: Date): AccessDecision {
  if (state.deletedAt !== null || state.reserved) return "refused";
  if (state.bannedUntil !== null && state.bannedUntil.getTime() <= now.getTime()) return "ban_lapsed";
  const banned =
    state.bannedAt !== null ||
    state.bannedUntil !== null ||
    state.banReason !== null ||
    state.bannedBy !== null;
  return banned ? "refused" : "admitted";
}
