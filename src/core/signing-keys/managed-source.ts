import { createPrivateKey, createPublicKey } from "node:crypto";
import { SigningKeyError } from "./errors.ts";
import type { KeyMaterial } from "./key-set.ts";
import { type KeyringSecrets, keyringSecrets } from "./keyring-secrets.ts";
import { type KeyringContext, rotateSigningKeys, signingKeysChannel } from "./rotate.ts";
import { isEmpty, keyringPoll, planRotation, rotationPolicy } from "./rotation-plan.ts";
import { openPrivateKey } from "./seal.ts";
import { type KeySource, mergePublicKeys, parsePublicKeys } from "./source.ts";
import { listKeys, type StoredKey } from "./store.ts";

function material(rows: readonly StoredKey[], secrets: KeyringSecrets): KeyMaterial {
  const active = rows.findLast((row) => row.state === "active");
  if (active === undefined) throw new SigningKeyError("the managed keyring holds no active key");
  return {
    active: {
      kid: active.kid,
      privateKey: createPrivateKey(openPrivateKey(active.privateSealed, active.kid, secrets).pem),
    },
    others: new Map(
      rows.filter((row) => row !== active).map((row) => [row.kid, createPublicKey(row.publicPem)]),
    ),
  };
}

/**
 * The keyring kept in PostgreSQL, private keys sealed under `AUTHKIT_KEYRING_SECRET` or, until they are sealed anew, a former one. Every look also does what is due (first key,
 * activation, dropping), so rotation goes on with whichever processes are alive. Re-read on the bus message and every `pollMs`.
 */
export function managedSource(context: KeyringContext, pollMs = keyringPoll * 1000): KeySource {
  const { config, database, bus, clock, log } = context;
  const secrets = keyringSecrets(config);
  const policy = rotationPolicy(config);
  const extra = parsePublicKeys(config.keys.publicKeys, "AUTHKIT_PUBLIC_KEYS", log);
  return {
    kind: "managed",
    async load() {
      let rows: readonly StoredKey[] = await listKeys(database);
      if (!isEmpty(planRotation(rows, "due", clock.millis(), policy)))
        rows = await rotateSigningKeys(context, "due");
      return mergePublicKeys(material(rows, secrets), extra);
    },
    async watch(changed) {
      const timer = setInterval(changed, pollMs);
      timer.unref();
      const unsubscribe = await bus?.subscribe(signingKeysChannel, changed);
      bus?.onReconnect(changed);
      return async () => {
        clearInterval(timer);
        await unsubscribe?.();
      };
    },
  };
}
