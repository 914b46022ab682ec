import { globSync } from "node:fs";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** libfaketime (package `faketime`), which stands between programs and the C library's clocks; undefined where it is not installed. */
export const clockLibrary = globSync([
  "/usr/lib/*/faketime/libfaketimeMT.so.1",
  "/usr/lib64/faketime/libfaketimeMT.so.1",
  "/usr/lib/faketime/libfaketimeMT.so.1",
])[0];

/** Why tests with it are left out. */
export const clockLibraryMissing = "libfaketime is missing: apt-get install faketime";

/** The wall clock of programs started with its environment. Their monotonic clocks go on as if nothing happened. */
export interface WallClock {
  readonly env: Readonly<Record<string, string>>;
  /** Sets it to so many seconds ahead of the true time (negative: behind), and waits until it is seen. */
  set(secondsAhead: number): Promise<void>;
  remove(): Promise<void>;
}

/** How long programs go on with the offset they have read, seconds: the least the library knows, and it counts whole seconds. */
const rereadSeconds = 1;
const seenMs = 3_000;

export async function wallClock(secondsAhead = 0): Promise<WallClock> {
  const directory = await mkdtemp(join(tmpdir(), "authkit-clock-"));
  const file = join(directory, "offset");
  const write = async (seconds: number): Promise<void> => {
    await writeFile(`${file}.new`, `${seconds < 0 ? "-" : "+"}${Math.abs(seconds)}\n`);
    await rename(`${file}.new`, file);
  };
  await write(secondsAhead);
  return {
    env: {
      LD_PRELOAD: clockLibrary ?? "",
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: String(rereadSeconds),
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      // Times of files stay true.
      NO_FAKE_STAT: "1",
    },
    async set(seconds) {
      await write(seconds);
      await new Promise((resolve) => setTimeout(resolve, seenMs));
    },
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}
