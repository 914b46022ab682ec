/**
 * Bundles the sources into the directory that is its argument. A process of its own, because the bundler takes half a gigabyte and returns little
 * of it. Prints why it could not, and exits with 1.
 */
import { build } from "rolldown";
import { installation } from "../installation.ts";
import { entries } from "./bundle.ts";

/** Loaded from their packages: native modules, and what need not be installed with the program. */
const external = ["@node-rs/argon2", "@node-rs/bcrypt", "@opentelemetry/sdk-node", "argon2"];

try {
  await build({
    cwd: installation,
    input: { ...entries },
    platform: "node",
    external,
    logLevel: "silent",
    output: {
      dir: process.argv[2] ?? "",
      format: "esm",
      entryFileNames: "[name].mjs",
      chunkFileNames: "[name].mjs",
      // The engine keeps a source for as long as it runs, with two bytes a character once there is one beyond Latin 1.
      charset: "ascii",
      comments: { legal: true, annotation: false, jsdoc: false },
      // Read only by who asks for it: NODE_OPTIONS=--enable-source-maps.
      sourcemap: true,
    },
  });
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
