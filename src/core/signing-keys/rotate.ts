import { createPublicKey } from "node:crypto";
import type { Config } from "../../config/config.ts";
import type { Bus } from "../../platform/bus/port.ts";
import type { Clock } from "../../platform/clock.ts";
import type { Log } from "../../platform/log/port.ts";
import type { Database } from "../../platform/postgres/port.ts";
import type { Random } from "../../platform/random.ts";
import { createAudit } from "../audit/index.ts";
import type { CallContext } from "../platform.ts";
import { generatePrivateKey, privatePem, publicPem } from "./generate.ts";
import { thumbprint } from "./jwk.ts";
import { keyringSecrets } from "./keyring-secrets.ts";
import { isEmpty, planRotation, type RotationRequest, rotationPolicy } from "./rotation-plan.ts";
import { sealPrivateKey } from "./seal.ts";
import {
  activateKey,
  dropKeys,
  insertKey,
  listKeys,
  lockKeyring,
  retireKey,
  type StoredKey,
} from "./store.ts";

/** Bus channel that says "the stored keyring changed". */
export const signingKeysChannel = "signing-keys";

export interface KeyringContext {
  readonly config: Config;
  readonly database: Database;
  readonly bus: Bus | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

/** On whose behalf the keyring is changed: scheduled steps are the server's own doing, the others an operator's. */
export function occasion(actor: "system" | "management", requestId: string): CallContext {
  return { requestId, ip: undefined, userAgent: undefined, language: "en", actor, signal: undefined };
}

/**
 * Moves the managed keyring on by one step and returns its rows afterwards. Runs under a lock of the whole deployment, so any number
 * of processes may call it at once. Other processes are told after the commit.
 *
 * `due` does what time demands: activates a published key, publishes one ahead of the scheduled rotation, drops keys whose last
 * token has expired, creates the very first. `routine` publishes the next key, to be activated when every verifier has seen it.
 * `now` activates at once and keeps the old key for verification. `emergency` activates a fresh key and forgets all others:
 * every outstanding token dies.
 */
export async function rotateSigningKeys(
  context: KeyringContext,
  request: RotationRequest,
): Promise<readonly StoredKey[]> {
  const { config, database, clock, random, log } = context;
  const secret = keyringSecrets(config).current;
  const policy = rotationPolicy(config);
  let changed = false;
  const rows = await database.transaction(async (tx) => {
    await lockKeyring(tx, database.schema);
    const now = clock.now();
    const before = await listKeys(tx);
    const plan = planRotation(before, request, now.getTime(), policy);
    if (isEmpty(plan)) return before;
    changed = true;
    const retireAt = policy.period > 0 ? new Date(now.getTime() + policy.period) : null;
    for (const kid of plan.retire) await retireKey(tx, kid, now, new Date(now.getTime() + policy.retention));
    if (plan.drop.length > 0) await dropKeys(tx, plan.drop);
    if (plan.activate !== undefined) await activateKey(tx, plan.activate, now, retireAt);
    if (plan.create !== undefined) {
      const privateKey = generatePrivateKey(config.keys.algorithm);
      const publicKey = createPublicKey(privateKey);
      const kid = thumbprint(publicKey);
      await insertKey(tx, {
        kid,
        algorithm: config.keys.algorithm,
        publicPem: publicPem(publicKey),
        privateSealed: sealPrivateKey(privatePem(privateKey), kid, secret, random),
        state: plan.create,
        createdAt: now,
        activatedAt: plan.create === "active" ? now : null,
        retireAt: plan.create === "active" ? retireAt : null,
        expiresAt: null,
      });
    }
    const after = await listKeys(tx);
    const activeKid = after.findLast((key) => key.state === "active")?.kid;
    await createAudit(context).record(
      {
        action: "signing_key.rotated",
        target: activeKid === undefined ? undefined : `signing_key:${activeKid}`,
        outcome: "ok",
        details: {
          request,
          created: plan.create,
          activated: plan.activate,
          retired: plan.retire,
          dropped: plan.drop,
        },
      },
      occasion(request === "due" ? "system" : "management", random.uuid()),
      tx,
    );
    return after;
  });
  if (changed) {
    log.info({ request, keys: rows.map(({ kid, state }) => ({ kid, state })) }, "signing keys rotated");
    await context.bus?.publish(signingKeysChannel, JSON.stringify({ request }));
  }
  return rows;
}
