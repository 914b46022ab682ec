/** Rebuilds `common-passwords.bloom` from the list in the development dependency: `node src/core/breached-passwords/data/build.ts`. */
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createBloomFilter, passwordDigest } from "../bloom.ts";

/** Small enough a rate that nobody meets it, at a size that still fits a container image. */
const falsePositiveRate = 0.00001;

const source = createRequire(import.meta.url).resolve("@zxcvbn-ts/language-common/src/passwords.json");
const words: readonly string[] = JSON.parse(readFileSync(source, "utf8"));
const filter = createBloomFilter(words.length, falsePositiveRate);
for (const word of words) filter.add(passwordDigest(word));
writeFileSync(new URL("./common-passwords.bloom", import.meta.url), filter.toBytes());
console.log(`${filter.entries} passwords`);
