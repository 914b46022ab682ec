import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { passwordDigest, readBloomFilter } from "../core/breached-passwords/bloom.ts";
import { buildFilter } from "../core/breached-passwords/build.ts";
import { calibrate } from "../platform/hashing/calibrate.ts";
import { createHashEngine } from "../platform/hashing/engine.ts";
import { knownAlgorithms, validateStored } from "../platform/hashing/formats/index.ts";
import { loadArgon2Kernel } from "../platform/hashing/kernel.ts";
import { systemRandom } from "../platform/random.ts";

const usage = `Usage: authkit-server hash <command>

  calibrate [--target-ms 50]
      Measures Argon2id on this machine and recommends parameters whose hash takes at most that long.
  verify [--algo argon2id] [--params <json>] <hash>
      Reads a password from standard input and tells whether it matches; exit code 1 when it does not.
  breached-filter build [--false-positive-rate 0.0001] [--min-count 1] <list> <filter>
      Makes a filter file from passwords, or SHA-1 hashes as Pwned Passwords publishes them (HASH:COUNT), one a line.
  breached-filter check <filter>
      Reads a password from standard input and tells whether the filter holds it; exit code 1 when it does.
`;

/** `authkit-server hash …`. Returns the exit code: 0 done, 1 a negative answer, 2 wrong use. */
export async function hashCommand(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === "calibrate") return calibrateCommand(rest);
  if (command === "verify") return verifyCommand(rest);
  if (command === "breached-filter") {
    const [action, ...more] = rest;
    if (action === "build") return buildCommand(more);
    if (action === "check") return checkCommand(more);
    // A file name alone asks for building, too.
    if (action !== undefined && !action.startsWith("-")) return buildCommand(rest);
  }
  const asked = command === "--help" || command === "-h";
  (asked ? process.stdout : process.stderr).write(usage);
  return asked ? 0 : 2;
}

async function calibrateCommand(args: string[]): Promise<number> {
  const { values } = parseArgs({ args, options: { "target-ms": { type: "string", default: "50" } } });
  const target = Number(values["target-ms"]);
  if (!(target > 0)) throw new Error("--target-ms must be a positive number of milliseconds");
  const kernel = await loadArgon2Kernel();
  const { measured, recommended } = await calibrate(kernel, target);
  const lines = [`Argon2id through ${kernel.name}, one hash at a time:`, ""];
  for (const step of measured) {
    const rate = (1000 / step.milliseconds).toFixed(0).padStart(5);
    lines.push(
      `  ${phc(step).padEnd(20)} ${step.milliseconds.toFixed(1).padStart(8)} ms ${rate} logins/s a core`,
    );
  }
  if (recommended === undefined) {
    lines.push("", `Nothing acceptable fits into ${target} ms on this machine; allow more time.`);
  } else {
    const memory = Math.ceil(recommended.memory / 1024);
    lines.push("", `Strongest within ${target} ms (${memory} MiB in each hashing process):`, "");
    lines.push(`  AUTHKIT_ARGON2=${phc(recommended)}`);
  }
  process.stdout.write(`${lines.join("\n")}\n`);
  return recommended === undefined ? 1 : 0;
}

function phc(parameters: { memory: number; iterations: number; parallelism: number }): string {
  return `m=${parameters.memory},t=${parameters.iterations},p=${parameters.parallelism}`;
}

async function verifyCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    options: { algo: { type: "string", default: "argon2id" }, params: { type: "string" } },
    allowPositionals: true,
  });
  const [hash] = positionals;
  if (hash === undefined || positionals.length > 1) return hashCommand([]);
  const params: unknown = values.params === undefined ? null : JSON.parse(values.params);
  const problem = validateStored(hash, values.algo, params);
  if (problem !== "ok") {
    const known =
      problem === "unsupported_hash_algo" ? ` (known: ${knownAlgorithms.filter(Boolean).join(", ")})` : "";
    process.stderr.write(`${problem}${known}\n`);
    return 1;
  }
  // The parameters only decide about renewal, which nobody asks about here.
  const parameters = { memory: 19_456, iterations: 2, parallelism: 1 };
  const engine = createHashEngine(await loadArgon2Kernel(), parameters, systemRandom);
  const { match } = await engine.verify(
    { hash, algorithm: values.algo, params },
    Buffer.from(await readPassword()),
  );
  process.stdout.write(match ? "match\n" : "no match\n");
  return match ? 0 : 1;
}

async function buildCommand(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    options: {
      "false-positive-rate": { type: "string", default: "0.0001" },
      "min-count": { type: "string", default: "1" },
    },
    allowPositionals: true,
  });
  const [list, target = list === undefined ? undefined : `${list}.bloom`] = positionals;
  if (list === undefined || target === undefined || positionals.length > 2) return hashCommand([]);
  const filter = await buildFilter(list, {
    falsePositiveRate: Number(values["false-positive-rate"]),
    minCount: Number(values["min-count"]),
  });
  const bytes = filter.toBytes();
  await writeFile(target, bytes);
  process.stdout.write(`${target}: ${filter.entries} passwords in ${bytes.length} bytes\n`);
  return 0;
}

async function checkCommand(args: string[]): Promise<number> {
  const { positionals } = parseArgs({ args, allowPositionals: true });
  const [path] = positionals;
  if (path === undefined || positionals.length > 1) return hashCommand([]);
  const found = readBloomFilter(await readFile(path)).has(passwordDigest(await readPassword()));
  process.stdout.write(found ? "found\n" : "not found\n");
  return found ? 1 : 0;
}

/** All of standard input but the line end a terminal or `echo` adds. Never from arguments, which every user of the machine can see. */
async function readPassword(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}
