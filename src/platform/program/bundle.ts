import { accessSync, constants, lstatSync } from "node:fs";
import { join } from "node:path";
import { installation } from "../installation.ts";
import { isOurs } from "../ownership.ts";
import { sourcesDigest } from "./sources.ts";

/** The program in the form in which it starts fastest: a few large files in place of 1,500 small ones. */
export interface Bundle {
  readonly directory: string;
  /** The command line. */
  readonly cli: string;
  /** What each worker runs. */
  readonly worker: string;
}

/**
 * Where bundles are kept, each in a directory named by the digest of its sources. Beside the packages and not among them: those may be a link
 * to what several installations share.
 */
export const bundles = join(installation, ".bundle");

/** Entries of a bundle by name, and the sources they are made from. */
export const entries = { cli: "src/cli/run.ts", worker: "workers/main.ts" } as const;

/** The bundle of these sources, made or not. */
function bundleOf(digest: string): Bundle {
  const directory = join(bundles, digest.slice(0, 16));
  return { directory, cli: join(directory, "cli.mjs"), worker: join(directory, "worker.mjs") };
}

/** Whether it is there, for this user to read and for nobody else to write. */
function usable({ directory, cli }: Bundle): boolean {
  const stats = lstatSync(directory, { throwIfNoEntry: false });
  if (stats?.isDirectory() !== true || !isOurs(stats)) return false;
  try {
    accessSync(cli, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}

/** Makes a bundle that is missing; resolves with false where that is impossible. */
export type MakeBundle = (bundle: Bundle) => Promise<boolean>;

/** The bundle of the sources as they are now. Undefined when there is none, and none can be made or nobody is asked to. */
export async function currentBundle(make?: MakeBundle): Promise<Bundle | undefined> {
  const bundle = bundleOf(sourcesDigest(installation));
  if (usable(bundle)) return bundle;
  return make !== undefined && (await make(bundle)) && usable(bundle) ? bundle : undefined;
}

/** The file that workers run when the sources are as they are now: of their bundle, or where there is none the source. */
export async function currentWorkerEntry(make: MakeBundle): Promise<string> {
  return (await currentBundle(make))?.worker ?? join(installation, entries.worker);
}

/** The file that workers run, in the form that this process runs. */
export function workerEntry(): string {
  const bundled = !import.meta.filename.endsWith(".ts");
  return bundled ? join(import.meta.dirname, "worker.mjs") : join(installation, entries.worker);
}
