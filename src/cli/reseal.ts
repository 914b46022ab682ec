import { resealTotpSecrets } from "../core/mfa/reseal.ts";
import { loadTotpKeys } from "../core/signing-keys/index.ts";
import { resealSigningKeys } from "../core/signing-keys/reseal.ts";
import { systemClock } from "../platform/clock.ts";
import { systemRandom } from "../platform/random.ts";
import type { KeysContext } from "./keys-context.ts";

/**
 * `authkit-server keys reseal`: what former secrets sealed in the database is sealed with those in use. Prints how much there is and how much was
 * changed. Returns the exit code: 0 the former secrets are dispensable, 1 some TOTP secret opens with no key, 2 wrong use.
 * @throws SigningKeyError when a signing key opens with no configured secret; nothing of the keyring is then changed
 */
export async function resealCommand(args: readonly string[], context: KeysContext): Promise<number> {
  const { log, print } = context;
  if (args.length > 0) {
    print(`unexpected argument ${JSON.stringify(args[0])}: \`keys reseal\` takes none`);
    return 2;
  }
  const config = context.config();
  const totpKeys = await loadTotpKeys(config.keys, log);
  const connections = await context.connect(config);
  const shared = { config, clock: systemClock, random: systemRandom, log, ...connections };
  try {
    if (config.keys.keyringSecret === undefined) print("signing keys: none are kept in the database");
    else {
      const { stored, resealed } = await resealSigningKeys(shared);
      print(`signing keys: ${resealed} of ${stored} sealed anew`);
    }
    if (totpKeys === undefined) {
      print("TOTP secrets: not looked at, there is no key for them");
      return 0;
    }
    const { stored, resealed, unreadable } = await resealTotpSecrets(shared, totpKeys);
    print(`TOTP secrets: ${resealed} of ${stored} sealed anew`);
    if (unreadable === 0) return 0;
    print(
      `TOTP secrets: ${unreadable} open with no key: add the one that sealed them to AUTHKIT_TOTP_FORMER_KEYS, or let their owners enrol again`,
    );
    return 1;
  } finally {
    await connections.close();
  }
}
