import { createPublicKey } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { parseArgs } from "node:util";
import { generatePrivateKey, privatePem } from "../core/signing-keys/generate.ts";
import { thumbprint } from "../core/signing-keys/jwk.ts";
import { createKeyRing } from "../core/signing-keys/key-ring.ts";
import { isManaged, keyringSecrets } from "../core/signing-keys/keyring-secrets.ts";
import { rotateSigningKeys } from "../core/signing-keys/rotate.ts";
import { rotationPolicy } from "../core/signing-keys/rotation-plan.ts";
import { listKeys, type StoredKey } from "../core/signing-keys/store.ts";
import type { SigningAlgorithm } from "../core/signing-keys/types.ts";
import { systemClock } from "../platform/clock.ts";
import { systemRandom } from "../platform/random.ts";
import type { KeysContext } from "./keys-context.ts";
import { resealCommand } from "./reseal.ts";

const usage = `Usage: authkit-server keys <command>

  generate [--alg ES256|ES384|ES512|EdDSA|RS256] [--kid <id>] [--out keys.json]
      Makes a signing key in the form of keys.json: into a new file (mode 0600), or to standard output.
  list
      Shows the keys in use: id, algorithm, state.
  rotate [--now] [--drop-old]
      Rotates the managed keyring. The next key is published at once and signs when every verifier knows it.
      --now        Signs with the next key at once; verifiers with a cached JWKS may refuse its tokens for five minutes.
      --drop-old   With --now, after a leak: forgets every other key, so that every outstanding token dies.
  reseal
      Seals anew, with the secret in use, what a former one sealed in the database: signing keys (AUTHKIT_KEYRING_SECRET) and
      TOTP secrets (AUTHKIT_TOTP_SECRET_KEY). Servers may run beside it; repeating it changes nothing.`;

const algorithms: readonly SigningAlgorithm[] = ["ES256", "ES384", "ES512", "EdDSA", "RS256"];

/**
 * `authkit-server keys …`. Returns the exit code: 0 done, 1 something cannot be sealed anew, 2 wrong use.
 * @throws SigningKeyError when keys cannot be used, or there is no managed keyring to rotate
 */
export async function keysCommand(args: readonly string[], context: KeysContext): Promise<number> {
  const [command, ...rest] = args;
  switch (command) {
    case "generate":
      return generate(rest, context);
    case "list":
      return list(context);
    case "rotate":
      return rotate(rest, context);
    case "reseal":
      return resealCommand(rest, context);
    default:
      context.print(usage);
      return command === "--help" || command === "-h" ? 0 : 2;
  }
}

async function generate(args: string[], { print }: KeysContext): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { alg: { type: "string" }, kid: { type: "string" }, out: { type: "string" } },
  });
  const algorithm = algorithms.find((known) => known === (values.alg ?? "ES256"));
  if (algorithm === undefined) {
    print(`unknown algorithm ${values.alg}; choose one of ${algorithms.join(", ")}`);
    return 2;
  }
  const privateKey = generatePrivateKey(algorithm);
  const kid = values.kid?.trim() || thumbprint(createPublicKey(privateKey));
  const document = { active_key_id: kid, active_private_key_pem: privatePem(privateKey), public_keys: {} };
  const text = JSON.stringify(document, null, 2);
  if (values.out === undefined) {
    print(text);
    return 0;
  }
  await mkdir(dirname(values.out), { recursive: true, mode: 0o700 });
  // Never over an existing file: its key would be lost, and every token it signed with it.
  await writeFile(values.out, `${text}\n`, { mode: 0o600, flag: "wx" });
  print(`wrote ${algorithm} key ${kid} to ${values.out}`);
  return 0;
}

function printStored(rows: readonly StoredKey[], lead: number, print: (line: string) => void): void {
  for (const { kid, algorithm, state, createdAt, activatedAt, expiresAt } of rows) {
    const signsFrom = state === "next" ? new Date(createdAt.getTime() + lead) : activatedAt;
    const times = [
      ...(signsFrom === null
        ? []
        : [`${state === "next" ? "signs from" : "signed from"} ${signsFrom.toISOString()}`]),
      ...(expiresAt === null ? [] : [`dropped after ${expiresAt.toISOString()}`]),
    ];
    print(`${kid}  ${algorithm}  ${state}  ${times.join(", ")}`);
  }
}

async function list(context: KeysContext): Promise<number> {
  const config = context.config();
  const connections = isManaged(config) ? await context.connect(config) : undefined;
  try {
    const ring = await createKeyRing({
      config,
      clock: systemClock,
      random: systemRandom,
      log: context.log,
      database: connections?.database,
    });
    const { active, byKid, source } = ring.current();
    await ring.close();
    context.print(`source: ${source}`);
    if (source === "managed" && connections !== undefined) {
      printStored(await listKeys(connections.database), rotationPolicy(config).lead, context.print);
    } else {
      for (const { kid, algorithm } of byKid.values()) {
        context.print(`${kid}  ${algorithm}  ${kid === active?.kid ? "active" : "published"}`);
      }
    }
    return 0;
  } finally {
    await connections?.close();
  }
}

async function rotate(args: string[], context: KeysContext): Promise<number> {
  const { values } = parseArgs({
    args,
    options: { now: { type: "boolean" }, "drop-old": { type: "boolean" } },
  });
  if (values["drop-old"] === true && values.now !== true) {
    context.print("--drop-old needs --now: it is for keys that have leaked");
    return 2;
  }
  const request = values.now !== true ? "routine" : values["drop-old"] === true ? "emergency" : "now";
  const config = context.config();
  keyringSecrets(config);
  const connections = await context.connect(config);
  try {
    const rows = await rotateSigningKeys(
      { config, clock: systemClock, random: systemRandom, log: context.log, ...connections },
      request,
    );
    printStored(rows, rotationPolicy(config).lead, context.print);
    return 0;
  } finally {
    await connections.close();
  }
}
