import { readFile } from "node:fs/promises";
import type { Config } from "../src/config/config.ts";
import type { BootstrapManifest } from "../src/contract/dtos/index.ts";
import { AuthError } from "../src/contract/errors/index.ts";
import { isEmptyManifest, parseManifest } from "../src/core/bootstrap/index.ts";
import type { CallContext } from "../src/core/platform.ts";
import type { Log } from "../src/platform/log/port.ts";
import { startEmbedded } from "./embedded.ts";

/** The context of what a deployment does by itself. */
export function systemContext(language: string, requestId = ""): CallContext {
  return { requestId, ip: undefined, userAgent: undefined, language, actor: "system", signal: undefined };
}

/** The manifest in a file. @throws Error that names the file, and where in it the problem is */
export async function readManifest(path: string): Promise<BootstrapManifest> {
  const text = await readFile(path, "utf8");
  try {
    return parseManifest(text);
  } catch (error) {
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

/** What of a manifest concerns the processes of a server, not its database. */
export interface BootstrapSettings {
  readonly staticEntitlements: readonly string[];
}

/**
 * Applies the configured manifest at the start of a server, once and only to an empty database.
 *
 * @throws Error when the file is unreadable or wrong, or the database is in use without having been set up by it: the server then must not start.
 */
export async function applyConfiguredManifest(
  config: Config,
  path: string,
  log: Log,
): Promise<BootstrapSettings> {
  const manifest = await readManifest(path);
  const { staticEntitlements } = manifest.dev;
  if (staticEntitlements.length > 0 && config.environment.class === "production")
    throw new Error(`${path}: dev.static_entitlements is for development only; remove it`);
  if (isEmptyManifest(manifest)) return { staticEntitlements };
  const server = await startEmbedded({ config, log, name: "bootstrap", poolMax: 2 });
  try {
    const result = await server.core.bootstrap.apply(
      manifest,
      { dryRun: false, startupOnly: true, name: "default" },
      systemContext(config.languages.default),
    );
    log.info({ path, ...result }, result.alreadyApplied ? "manifest was applied before" : "manifest applied");
  } catch (error) {
    if (error instanceof AuthError && error.code === "bootstrap_database_not_empty")
      throw new Error(
        `${path}: the database has accounts or applications already and was not set up by this manifest; unset AUTHKIT_BOOTSTRAP_PATH, or run \`authkit-server bootstrap apply\` to bring it into line`,
      );
    throw new Error(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  } finally {
    await server.close();
  }
  return { staticEntitlements };
}
