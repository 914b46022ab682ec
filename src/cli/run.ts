/** The command line. `serve` is the default; every command answers `--help`. */
import { commands } from "./commands.ts";

const [given = "", ...args] = process.argv.slice(2);
const name = given === "" ? "serve" : given;
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (name === "--help" || name === "-h" || name === "help") {
  console.log("Usage: authkit-server <command>\n");
  for (const [key, { summary }] of Object.entries(commands)) console.log(`  ${key.padEnd(12)} ${summary}`);
  console.log("\nConfiguration comes from the environment: see docs/configuration.md.");
} else if (command === undefined) {
  console.error(
    `authkit-server: unknown command ${JSON.stringify(name)}; there are: ${Object.keys(commands).join(", ")}`,
  );
  process.exitCode = 1;
} else {
  try {
    process.exitCode = await command.run(args);
  } catch (error) {
    // One line with the cause: whoever reads it at night needs the setting and the fix, not a stack.
    console.error(`authkit-server ${name}: ${error instanceof Error ? error.message : String(error)}`);
    if (process.env["AUTHKIT_LOG_LEVEL"] === "debug" && error instanceof Error) console.error(error.stack);
    process.exitCode = 1;
  }
}
