import { execFile } from "node:child_process";
import { chown, mkdir, mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import type { FaultyPostgres } from "./faulty.ts";

/** A database of a role without special rights, on a disk of its own that can be filled to the last byte. */
export interface SmallDisk {
  /** Of the role: limits of connections count for it. */
  readonly url: string;
  readonly role: string;
  /** What `fill` fills: a disk, or nothing where none can be mounted. */
  readonly means: string;
  /** As superuser, in the database. */
  administer(...statements: readonly string[]): Promise<void>;
  fill(): Promise<void>;
  empty(): Promise<void>;
  remove(): Promise<void>;
}

const megabytes = 96;
const role = "tenant";
const password = "tenant-password";
const table = "profiles.refresh_sessions";

const run = promisify(execFile);

/** Mounts a file system in memory; undefined where the test may not. */
async function mountSmall(): Promise<string | undefined> {
  const directory = await mkdtemp(join(tmpdir(), "authkit-small-disk-"));
  try {
    await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m,mode=0711`, "tmpfs", directory]);
    return directory;
  } catch {
    await rm(directory, { recursive: true });
    return undefined;
  }
}

/** Writes until the file system takes no more. */
async function writeAll(path: string): Promise<void> {
  const file = await open(path, "w");
  try {
    // Ever smaller pieces, so that not a page remains.
    for (let size = 1 << 20; size >= 1 << 12; ) {
      try {
        await file.appendFile(Buffer.alloc(size, 1));
      } catch (error) {
        if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
        size >>= 1;
      }
    }
  } finally {
    await file.close();
  }
}

/**
 * On a disk of its own where the test may mount one. Elsewhere `fill` makes the server refuse what it would refuse then: new sessions and
 * changes of old ones, with the same SQLSTATE.
 */
export async function createOnSmallDisk(postgres: FaultyPostgres): Promise<SmallDisk> {
  const disk = await mountSmall();
  const url = new URL(postgres.url);
  const at = async (address: string, statements: readonly string[]): Promise<void> => {
    const client = new pg.Client({ connectionString: address });
    await client.connect();
    try {
      for (const statement of statements) await client.query(statement);
    } finally {
      await client.end();
    }
  };
  const place: string[] = [];
  if (disk !== undefined) {
    const { uid, gid } = await stat(join(postgres.directory, "data"));
    const directory = join(disk, "tables");
    await mkdir(directory, { mode: 0o700 });
    await chown(directory, uid, gid);
    place.push(
      `CREATE TABLESPACE small LOCATION '${directory}'`,
      `GRANT CREATE ON TABLESPACE small TO ${role}`,
      `ALTER ROLE ${role} SET default_tablespace = 'small'`,
    );
  }
  await at(postgres.url, [
    `CREATE ROLE ${role} LOGIN PASSWORD '${password}'`,
    ...place,
    `CREATE DATABASE ${role} OWNER ${role}`,
  ]);
  url.pathname = `/${role}`;
  const administrator = url.href;
  url.username = role;
  url.password = password;
  const administer = (...statements: readonly string[]): Promise<void> => at(administrator, statements);
  const filler = disk === undefined ? "" : join(disk, "filler");
  return {
    url: url.href,
    ...{ role, administer },
    means:
      disk === undefined
        ? "a trigger that refuses with SQLSTATE 53100, since no file system may be mounted here"
        : `a file system of ${megabytes} MB in memory, filled to the last byte`,
    fill: () =>
      disk === undefined
        ? administer(
            `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
              AS $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$`,
            `CREATE TRIGGER full_disk BEFORE INSERT OR UPDATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION refuse()`,
          )
        : writeAll(filler),
    empty: () =>
      disk === undefined
        ? administer(`DROP TRIGGER full_disk ON ${table}`, "DROP FUNCTION refuse()")
        : rm(filler),
    async remove() {
      if (disk === undefined) return;
      await run("umount", [disk]);
      await rm(disk, { recursive: true });
    },
  };
}
