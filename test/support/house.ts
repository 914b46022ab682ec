import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { behindProxy } from "./accounts.ts";
import { startCluster } from "./cluster.ts";
import type { House } from "./doors.ts";
import { type HostileProvider, startHostileProvider } from "./hostile-provider.ts";
import { freePort } from "./ports.ts";

export interface OpenHouse extends House {
  close(): Promise<void>;
}

/**
 * Starts a cluster with every door `doors.ts` tries: passwords, codes and links, passkeys, a wallet, second factors and the provider `acme`.
 *
 * @param yaml the configuration file; `acme` is the entry of the provider.
 */
export async function openHouse(
  yaml: (acme: string, provider: HostileProvider) => string,
  env: Readonly<Record<string, string>> = {},
): Promise<OpenHouse> {
  const provider = await startHostileProvider();
  const port = await freePort();
  const origin = `http://localhost:${port}`;
  const config = join(await mkdtemp(join(tmpdir(), "authkit-house-")), "authkit.yaml");
  const acme = `{ name: acme, kind: oidc, issuer: "${provider.at("acme", {})}", client_id: authkit, client_secret: s }`;
  await writeFile(config, yaml(acme, provider));
  const cluster = await startCluster({
    env: {
      ...behindProxy,
      AUTHKIT_CONFIG: config,
      AUTHKIT_LISTEN_ADDR: `127.0.0.1:${port}`,
      AUTHKIT_ISSUER: origin,
      AUTHKIT_PASSKEY_RPID: "localhost",
      AUTHKIT_PASSKEY_ORIGINS: origin,
      AUTHKIT_PASSWORDLESS: "true",
      AUTHKIT_SOLANA_NETWORK: "devnet",
      AUTHKIT_TOTP_SECRET_KEY: "22".repeat(32),
      ...env,
    },
    url: `http://127.0.0.1:${port}`,
  });
  return {
    ...{ cluster, provider, origin },
    async close() {
      await cluster.stop();
      await provider.stop();
    },
  };
}
