/** Entry of the command line: runs the bundle of these sources, or where there is none the sources themselves. */
import { pathToFileURL } from "node:url";
import { keepCompiledCode } from "../platform/compile-cache.ts";
import { currentBundle, type MakeBundle } from "../platform/program/bundle.ts";

keepCompiledCode();

/** A server starts often and everywhere: it makes its bundle by itself where it may. */
const make: MakeBundle = async (missing) => {
  const { makeWherePossible } = await import("../platform/program/make.ts");
  return makeWherePossible(missing, (reason) => console.error(`authkit-server: ${reason}`));
};

const makes = ["", "serve", "prepare"].includes(process.argv[2] ?? "");
const bundle = await currentBundle(makes ? make : undefined);
await import(bundle === undefined ? "./run.ts" : pathToFileURL(bundle.cli).href);
