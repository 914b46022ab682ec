import { execFile } from "node:child_process";
import { chown, mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { promisify } from "node:util";
import { ignoreCode } from "./embedded-binaries.ts";

/** How to start PostgreSQL's programs: as which user, and behind which launcher. */
export interface Account {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
  /** Prefix of the command line; empty when the programs are started directly. */
  readonly launcher: readonly string[];
}

const run = promisify(execFile);

/**
 * Chooses the account PostgreSQL runs under, since it refuses to run as root: the caller's own, or for root the owner of
 * the existing data, the system user `postgres`, or `nobody`. Creates `dataParent` and hands it to that account.
 *
 * @param dataParent directory that holds the data directory.
 * @param programs programs the account must be able to reach.
 */
export async function prepareAccount(dataParent: string, programs: readonly string[]): Promise<Account> {
  await mkdir(dataParent, { recursive: true, mode: 0o700 });
  if (process.getuid?.() !== 0) return { uid: undefined, gid: undefined, launcher: [] };
  const owner = await stat(dataParent);
  const { uid, gid } = owner.uid === 0 ? await systemAccount() : owner;
  if (owner.uid !== uid) await chown(dataParent, uid, gid);
  const reachable = await Promise.all([dataParent, ...programs].map((path) => canReach(path, uid, gid)));
  if (reachable.every(Boolean)) return { uid, gid, launcher: [] };
  // A tree below a private home directory: the account keeps root's right to pass directories, and nothing else of it.
  return {
    uid: undefined,
    gid: undefined,
    launcher: [
      "setpriv",
      `--reuid=${uid}`,
      `--regid=${gid}`,
      "--clear-groups",
      // Else access(2), by which initdb looks for its neighbours, would not count the capability.
      "--securebits=+no_setuid_fixup",
      "--inh-caps=-all,+dac_override",
      "--ambient-caps=-all,+dac_override",
      "--",
    ],
  };
}

async function systemAccount(): Promise<{ uid: number; gid: number }> {
  for (const name of ["postgres", "nobody"]) {
    try {
      const [uid, gid] = await Promise.all([run("id", ["-u", name]), run("id", ["-g", name])]);
      return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
    } catch (error) {
      // `id` exits with 1 for an unknown user: try the next one.
      if (!(error instanceof Error && "code" in error && error.code === 1)) throw error;
    }
  }
  throw new Error("PostgreSQL cannot run as root, and neither a user `postgres` nor `nobody` exists here.");
}

async function canReach(path: string, uid: number, gid: number): Promise<boolean> {
  let directory = dirname(resolve(path));
  for (;;) {
    const info = await stat(directory).catch(ignoreCode("ENOENT"));
    if (info !== undefined) {
      const bit = info.uid === uid ? 0o100 : info.gid === gid ? 0o010 : 0o001;
      if ((info.mode & bit) === 0) return false;
    }
    const parent = dirname(directory);
    if (parent === directory) return true;
    directory = parent;
  }
}
