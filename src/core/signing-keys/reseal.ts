import { createAudit } from "../audit/index.ts";
import { keyringSecrets } from "./keyring-secrets.ts";
import { type KeyringContext, occasion } from "./rotate.ts";
import { openPrivateKey, sealPrivateKey } from "./seal.ts";
import { listKeys, lockKeyring, replaceSealed } from "./store.ts";

/** What a re-sealing found and did. */
export interface Resealing {
  /** Sealed secrets that are stored. */
  readonly stored: number;
  /** Those a former secret had sealed; the current one does now. */
  readonly resealed: number;
}

/**
 * Seals with the current secret every private key a former one sealed, so that the former ones can be taken away. All or none; under the lock of
 * rotations, so that servers may run beside it. Repeating it changes nothing. The keys themselves stay, and with them every token.
 * @throws SigningKeyError when no configured secret opens a key, or none is configured
 */
export async function resealSigningKeys(context: KeyringContext): Promise<Resealing> {
  const { config, database, random, log } = context;
  const secrets = keyringSecrets(config);
  return database.transaction(async (tx) => {
    await lockKeyring(tx, database.schema);
    // Retired keys verify only: their private part is gone.
    const sealed = (await listKeys(tx)).filter(({ privateSealed }) => privateSealed.length > 0);
    const kids: string[] = [];
    for (const { kid, privateSealed } of sealed) {
      const { pem, outdated } = openPrivateKey(privateSealed, kid, secrets);
      if (!outdated) continue;
      await replaceSealed(tx, kid, sealPrivateKey(pem, kid, secrets.current, random));
      kids.push(kid);
    }
    if (kids.length > 0) {
      await createAudit(context).record(
        { action: "signing_key.resealed", target: undefined, outcome: "ok", details: { resealed: kids } },
        occasion("management", random.uuid()),
        tx,
      );
      log.info({ resealed: kids }, "signing keys sealed anew");
    }
    return { stored: sealed.length, resealed: kids.length };
  });
}
