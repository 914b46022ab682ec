export interface MfaState {
  /** The account's own switch. */
  readonly enabled: boolean;
  readonly factors: readonly {
    readonly id: string;
    readonly method: "email" | "sms" | "totp";
    readonly isDefault: boolean;
    readonly phoneNumber: string | null;
  }[];
  readonly backupCodes: number;
  /** A second factor was enrolled at some time, still or no longer. */
  readonly everEnrolled: boolean;
}

/** Read side of the second factor, as sessions, tokens and `/me` need it; the flows are in the same folder. */
export interface MfaStates {
  of(userId: string): Promise<MfaState>;
  /** Methods this deployment can offer now, in the order `email`, `sms`, `totp` (spec 20 §4.6). */
  availableMethods(): readonly ("email" | "sms" | "totp")[];
}
