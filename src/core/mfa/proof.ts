import type { Audit } from "../audit/index.ts";
import { isUuid } from "../identifiers/index.ts";
import type { Notices } from "../notices/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import { hashBackupCode } from "./backup-codes.ts";
import type { CodeTarget, FactorCodes } from "./factor-codes.ts";
import { factorStore } from "./factor-store.ts";
import { createFactorLock } from "./lock.ts";
import { matchingStep } from "./totp.ts";
import type { TotpCipher } from "./totp-cipher.ts";
import type { MfaState } from "./types.ts";

/** With so many backup codes left, their owner is asked to make new ones. */
const fewBackupCodes = 2;

export type Factor = MfaState["factors"][number];

/** What a user presents as a second factor. */
export interface PresentedFactor {
  readonly code: string;
  readonly backupCode: boolean;
  /** Undefined for a backup code. */
  readonly factor: Factor | undefined;
}

/** Checks presented second factors; each success is good once. Many failures in a row lock the account's second factor for a while. */
export interface SecondFactorProof {
  /** `owner` names the record of the code that was sent. Throws `rate_limited` while locked. */
  accept(
    userId: string,
    email: string | null,
    presented: PresentedFactor,
    codes: { readonly of: FactorCodes; readonly owner: string },
    context: CallContext,
  ): Promise<boolean>;
}

/** Where the codes of a factor go; undefined for TOTP and for an account without the address. */
export function codeTarget(factor: Factor, email: string | null): CodeTarget | undefined {
  const destination = factor.method === "email" ? email : factor.method === "sms" ? factor.phoneNumber : null;
  return factor.method === "totp" || destination === null
    ? undefined
    : { method: factor.method, destination };
}

/** Whether the session began with a message to where this factor sends its codes as well. */
export function isSameChannel(
  factor: Pick<Factor, "method" | "phoneNumber">,
  phone: string | null,
  methods: readonly string[],
): boolean {
  if (factor.method === "email") return methods.includes("email");
  return factor.method === "sms" && methods.includes("sms") && factor.phoneNumber === phone;
}

/** `amr` of a session that showed nothing but one mailbox or phone, twice. */
const repeated = "repeat";

/**
 * What a proven factor adds to the methods of a session: a second factor, unless all that came before is the same channel. Two messages to
 * one mailbox are one factor, and the token must not say otherwise.
 */
export function addedMethods(
  factor: Pick<Factor, "method" | "phoneNumber"> | undefined,
  phone: string | null,
  methods: readonly string[],
): readonly string[] {
  const same = factor !== undefined && isSameChannel(factor, phone, methods);
  const alone = same && methods.every((method) => method === factor.method || method === repeated);
  return alone ? [repeated] : ["otp", "mfa"];
}

/** The factor with that id; without one the default, else the first. */
export function chosenFactor(state: MfaState, factorId: string): Factor | undefined {
  if (factorId !== "") return state.factors.find(({ id }) => id === factorId);
  return state.factors.find(({ isDefault }) => isDefault) ?? state.factors[0];
}

export function createSecondFactorProof(
  platform: Pick<Platform, "database" | "clock" | "ephemeral">,
  parts: { readonly cipher: TotpCipher | undefined; readonly audit: Audit; readonly notices: Notices },
): SecondFactorProof {
  const { database, clock } = platform;
  const { cipher, audit, notices } = parts;
  const lock = createFactorLock(platform, parts);

  async function acceptTotp(userId: string, factorId: string, code: string): Promise<boolean> {
    if (!isUuid(factorId)) return false;
    const stored = await factorStore.totpSecret(database, userId, factorId);
    const secret = stored === undefined ? undefined : cipher?.open(stored.secret, userId);
    if (stored === undefined || secret === undefined) return false;
    const step = matchingStep(secret, code, clock.epochSeconds());
    const factor = { id: stored.id, userId };
    if (step === undefined || !(await factorStore.useTotpStep(database, factor, step, clock.now())))
      return false;
    if (cipher?.isOutdated(stored.secret, userId) === true)
      await factorStore.resealTotp(database, factor, stored.secret, cipher.seal(secret, userId));
    return true;
  }

  async function acceptBackupCode(userId: string, code: string, context: CallContext): Promise<boolean> {
    const remaining = await factorStore.useBackupCode(database, userId, hashBackupCode(code), clock.now());
    if (remaining === undefined) return false;
    const entry = { action: "mfa.backup_code_used", target: `user:${userId}`, outcome: "ok" } as const;
    await audit.record({ ...entry, details: { remaining } }, context);
    const low = remaining <= fewBackupCodes;
    await notices.tell(low ? "notice_backup_codes_low" : "notice_backup_code_used", userId, context);
    return true;
  }

  const check: SecondFactorProof["accept"] = async (
    userId,
    email,
    { code, backupCode, factor },
    codes,
    context,
  ) => {
    if (backupCode) return acceptBackupCode(userId, code, context);
    if (factor === undefined) return false;
    if (factor.method === "totp") return acceptTotp(userId, factor.id, code);
    const target = codeTarget(factor, email);
    return target !== undefined && codes.of.consume(codes.owner, target, code);
  };

  return {
    async accept(userId, email, presented, codes, context) {
      await lock.assertOpen(userId);
      const accepted = await check(userId, email, presented, codes, context);
      // A backup code never becomes right again; one of the others may.
      const guess = presented.backupCode ? hashBackupCode(presented.code) : undefined;
      await (accepted ? lock.succeeded(userId) : lock.failed(userId, guess, context));
      return accepted;
    },
  };
}
