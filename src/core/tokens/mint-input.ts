import type { Config } from "../../config/config.ts";
import { isZeroTime } from "../../contract/time.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Random } from "../../platform/random.ts";
import { encodeSorted } from "./json.ts";
import type { JwsSigner } from "./jws.ts";

/** What the mint operations work with. */
export interface MintContext {
  readonly config: Config;
  readonly signer: JwsSigner;
  readonly clock: Clock;
  readonly random: Random;
}

/** Refuses before anything else is looked at when there is no key to sign with. Throws `missing_signer`. */
export function assertSigner(context: MintContext): void {
  context.signer.active();
}

/** Signs claims, members in ascending order of their names. */
export function signClaims(
  context: MintContext,
  typ: string,
  claims: Readonly<Record<string, unknown>>,
): string {
  return context.signer.sign(typ, encodeSorted(claims));
}

/** Milliseconds a machine token lives when nothing is asked for. */
export const defaultLifetime = 900_000;
const longestMachineLifetime = 86_400_000;

/** Trimmed values without blanks and duplicates, first-seen order. */
export function distinctTexts(values: readonly string[]): string[] {
  return [...new Set(values.map((value) => value.trim()).filter((value) => value !== ""))];
}

/** Trimmed values without blanks; duplicates stay. */
export function nonBlankTexts(values: readonly string[]): string[] {
  return values.map((value) => value.trim()).filter((value) => value !== "");
}

/** A time argument; undefined for the contract's "no time". */
export function givenTime(time: Date): Date | undefined {
  return isZeroTime(time) ? undefined : time;
}

export function epochSeconds(millis: number): number {
  return Math.floor(millis / 1000);
}

/** Nanoseconds to milliseconds; zero and less count as "not given". */
export function givenMillis(nanoseconds: number): number | undefined {
  return nanoseconds > 0 ? nanoseconds / 1e6 : undefined;
}

/** Lifetime of a delegated or remote-application token in milliseconds: 15 min by default, at most 24 h unless configured otherwise. */
export function machineLifetime(config: Config, nanoseconds: number): number {
  const asked = givenMillis(nanoseconds) ?? defaultLifetime;
  return config.tokens.allowLongMachineTokens ? asked : Math.min(asked, longestMachineLifetime);
}

/** `nbf` member when a time is given. */
export function notBeforeClaim(time: Date): { readonly nbf?: number } {
  const given = givenTime(time);
  return given === undefined ? {} : { nbf: epochSeconds(given.getTime()) };
}

/** `jti` of a token whose format demands none; blank where such tokens get none. */
export function tokenId({ config, random }: MintContext): string {
  return config.tokens.machineTokenIds ? random.uuid() : "";
}
