/** Computes Argon2id with the kernel the server hashes with, or the one named, one hash at a time; prints hashes a second. */
import { randomBytes } from "node:crypto";
import { kernelCandidates, loadArgon2Kernel } from "../../src/platform/hashing/kernel.ts";
import { password } from "../schema.ts";

const [parameters, seconds, named] = process.argv.slice(2);
if (parameters === undefined || seconds === undefined)
  throw new Error("usage: hash-loop <m=,t=,p=> <seconds> [kernel]");
const values = Object.fromEntries(parameters.split(",").map((part) => part.split("=")));
const kernel = await loadArgon2Kernel(
  named === undefined ? kernelCandidates : kernelCandidates.filter(({ name }) => name === named),
);
const hash = (): Promise<Buffer> =>
  kernel.derive({
    ...{
      type: "argon2id",
      version: 19,
      salt: randomBytes(16),
      tagLength: 32,
      password: Buffer.from(password),
    },
    ...{ memory: Number(values["m"]), iterations: Number(values["t"]), parallelism: Number(values["p"]) },
  });

await hash();
const started = performance.now();
const deadline = started + Number(seconds) * 1_000;
let hashes = 0;
while (performance.now() < deadline) {
  await hash();
  hashes++;
}
console.log((hashes * 1_000) / (performance.now() - started));
