/**
 * `npm run sbom [file]`: writes what the server ships as a CycloneDX 1.6 document, to standard output or a file. Made from the lock files alone, so that the
 * same tree gives the same document; npm's own command leaves packages out.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Crate, crateLicenses, shippedCrates } from "./crates.ts";

interface Locked {
  readonly name?: string;
  readonly version?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const root = join(import.meta.dirname, "..");
const lock: { readonly packages: Readonly<Record<string, Locked>> } = JSON.parse(
  readFileSync(join(root, "package-lock.json"), "utf8"),
);
const shipped = Object.entries(lock.packages).filter(([path, { dev }]) => path !== "" && dev !== true);
const own = lock.packages[""] ?? {};

function nameOf(path: string, { name }: Locked): string {
  return name ?? path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
}

/** Package URL: the scope's `@` is percent-encoded. */
function purl(path: string, locked: Locked): string {
  return `pkg:npm/${nameOf(path, locked).replace(/^@/, "%40")}@${locked.version}`;
}

/** Where Node would find a package from another: the nearest `node_modules` upwards. Nothing where it is not shipped. */
function resolve(from: string, name: string): string | undefined {
  const levels = from === "" ? [] : from.split("/node_modules/");
  for (let depth = levels.length; depth >= 0; depth--) {
    const above = levels.slice(0, depth).join("/node_modules/");
    const path = above === "" ? `node_modules/${name}` : `${above}/node_modules/${name}`;
    const found = lock.packages[path];
    if (found !== undefined) return found.dev === true ? undefined : path;
  }
  return undefined;
}

function hashes(integrity = ""): readonly { readonly alg: string; readonly content: string }[] {
  return [...integrity.matchAll(/sha(256|384|512)-([A-Za-z0-9+/=]+)/g)].map(([, bits, digest = ""]) => ({
    alg: `SHA-${bits}`,
    content: Buffer.from(digest, "base64").toString("hex"),
  }));
}

/** An SPDX id, or an expression of several. */
function licenses(license: string): readonly object[] {
  return / (AND|OR) /.test(license) ? [{ expression: license }] : [{ license: { id: license } }];
}

function edges(path: string, { dependencies, optionalDependencies }: Locked): readonly string[] {
  const names = Object.keys({ ...dependencies, ...optionalDependencies });
  const paths = names.map((name) => resolve(path, name)).filter((found) => found !== undefined);
  return paths.map((found) => purl(found, lock.packages[found] ?? {})).sort();
}

const crateRef = ({ name, version }: Crate): string => `pkg:cargo/${name}@${version}`;
const kernel = shippedCrates();
const declaredLicenses = crateLicenses();
const crates = kernel.all.map((crate) => ({
  type: "library",
  "bom-ref": crateRef(crate),
  name: crate.name,
  version: crate.version,
  purl: crateRef(crate),
  scope: "optional",
  hashes: [{ alg: "SHA-256", content: crate.checksum }],
  licenses: licenses(declaredLicenses[`${crate.name}@${crate.version}`] ?? "NOASSERTION"),
}));

const ref = `pkg:npm/authkit-server@${own.version}`;
const components = new Map(
  shipped.map(([path, locked]) => [
    purl(path, locked),
    {
      type: "library",
      "bom-ref": purl(path, locked),
      name: nameOf(path, locked),
      version: locked.version,
      purl: purl(path, locked),
      scope: locked.optional === true ? "optional" : "required",
      hashes: hashes(locked.integrity),
      licenses: licenses(locked.license ?? "NOASSERTION"),
    },
  ]),
);
const graph = new Map([
  ...shipped.map(([path, locked]) => [purl(path, locked), edges(path, locked)] as const),
  ...kernel.all.map((crate) => [crateRef(crate), crate.dependencies.map(crateRef).sort()] as const),
]);

const document = {
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  version: 1,
  metadata: {
    component: {
      type: "application",
      "bom-ref": ref,
      name: "authkit-server",
      version: own.version,
      purl: ref,
      licenses: licenses("MIT"),
    },
  },
  components: [...components.values(), ...crates].sort((a, b) => (a.purl < b.purl ? -1 : 1)),
  dependencies: [
    { ref, dependsOn: [...edges("", own), ...kernel.direct.map(crateRef)].sort() },
    ...[...graph]
      .map(([from, dependsOn]) => ({ ref: from, dependsOn }))
      .sort((a, b) => (a.ref < b.ref ? -1 : 1)),
  ],
};
const text = `${JSON.stringify(document, null, 2)}\n`;
const file = process.argv[2];
if (file === undefined) process.stdout.write(text);
else writeFileSync(file, text);
