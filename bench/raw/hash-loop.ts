/** Computes Argon2id with the library the server hashes with, one hash at a time; prints hashes a second. */
import { hash } from "@node-rs/argon2";
import { password } from "../schema.ts";
import { programArguments } from "./database.ts";

const [parameters = "", seconds = ""] = programArguments("hash-loop <m=,t=,p=> <seconds>", 2);
const values = Object.fromEntries(parameters.split(",").map((part) => part.split("=")));
const options = {
  memoryCost: Number(values["m"]),
  timeCost: Number(values["t"]),
  parallelism: Number(values["p"]),
};

await hash(password, options);
const started = performance.now();
const deadline = started + Number(seconds) * 1_000;
let hashes = 0;
while (performance.now() < deadline) {
  await hash(password, options);
  hashes++;
}
console.log((hashes * 1_000) / (performance.now() - started));
