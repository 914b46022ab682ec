import type { Log } from "../../platform/log/port.ts";
import type { Database } from "../../platform/postgres/port.ts";
import type { Random } from "../../platform/random.ts";
import type { TotpKeys } from "../signing-keys/totp-key.ts";
import { factorStore } from "./factor-store.ts";
import { createTotpCipher } from "./totp-cipher.ts";

/** Rows read at once. */
const batch = 500;

/** What a re-sealing of TOTP secrets found and did. */
export interface TotpResealing {
  readonly stored: number;
  /** Those a former key had sealed; the current one does now. */
  readonly resealed: number;
  /** Those none of the keys opens: their owners have to enrol again unless the missing key turns up. */
  readonly unreadable: number;
}

/**
 * Seals with the current key every TOTP secret a former one sealed, so that the former ones can be taken away at once. Each row is replaced only
 * if nobody changed it since it was read, so servers may run beside it; repeating it changes nothing.
 */
export async function resealTotpSecrets(
  context: { readonly database: Database; readonly random: Random; readonly log: Log },
  keys: TotpKeys,
): Promise<TotpResealing> {
  const { database, random, log } = context;
  const cipher = createTotpCipher(keys.current, random, keys.former);
  let [stored, resealed, unreadable] = [0, 0, 0];
  let after: string | null = null;
  for (;;) {
    const rows = await factorStore.totpSecrets(database, after, batch);
    for (const { id, userId, sealed } of rows) {
      stored++;
      if (!cipher.isOutdated(sealed, userId)) continue;
      const secret = cipher.open(sealed, userId);
      if (secret === undefined) {
        unreadable++;
        log.warn({ userId }, "no key opens this TOTP secret");
      } else {
        resealed += await factorStore.resealTotp(
          database,
          { id, userId },
          sealed,
          cipher.seal(secret, userId),
        );
      }
    }
    const last = rows.at(-1);
    if (last === undefined) return { stored, resealed, unreadable };
    after = last.id;
  }
}
