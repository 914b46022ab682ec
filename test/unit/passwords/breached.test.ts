import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createBloomFilter,
  passwordDigest,
  readBloomFilter,
} from "../../../src/core/breached-passwords/bloom.ts";
import { buildFilter } from "../../../src/core/breached-passwords/build.ts";
import {
  createBreachedPasswords,
  estimateStrength,
  loadBreachedPasswords,
} from "../../../src/core/breached-passwords/index.ts";

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "authkit-breached-"));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

async function file(name: string, content: string | Buffer): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

describe("the shipped filter", () => {
  it("holds every one of the commonest passwords, in any case", async () => {
    const words: string[] = JSON.parse(
      await readFile(
        new URL("../../../node_modules/@zxcvbn-ts/language-common/src/passwords.json", import.meta.url),
        "utf8",
      ),
    );
    expect(words.length).toBeGreaterThan(30_000);
    const breached = await loadBreachedPasswords({ breachedCheck: true, breachedFilterPath: undefined });
    expect(words.filter((word) => breached?.find(word) !== "common")).toEqual([]);
    expect(breached?.find("PASSWORD")).toBe("common");
    expect(breached?.find("iloveyou")).toBe("common");
  });

  it("raises next to no false alarms", async () => {
    const breached = await loadBreachedPasswords({ breachedCheck: true, breachedFilterPath: undefined });
    let alarms = 0;
    for (let at = 0; at < 100_000; at++) if (breached?.find(`correct horse ${at}`) !== undefined) alarms++;
    expect(alarms).toBeLessThan(15);
  });

  it("is not loaded when the check is off", async () => {
    expect(
      await loadBreachedPasswords({ breachedCheck: false, breachedFilterPath: "/nonexistent" }),
    ).toBeUndefined();
  });
});

describe("filters of one's own", () => {
  const rate = { falsePositiveRate: 0.001, minCount: 1 };

  it("are built from passwords and read back", async () => {
    const list = await file("plain.txt", "hunter2 again\r\npässwort\n\n  spaced  \nlast one");
    const filter = await buildFilter(list, rate);
    expect(filter.entries).toBe(4);
    const path = await file("plain.bloom", filter.toBytes());
    const breached = await loadBreachedPasswords({ breachedCheck: true, breachedFilterPath: path });
    for (const word of ["hunter2 again", "pässwort", "  spaced  ", "last one"])
      expect(breached?.find(word)).toBe("breached");
    expect(breached?.find("correct horse battery")).toBeUndefined();
    expect(breached?.find("password")).toBe("common");
  });

  it("are built from SHA-1 lines, leaving out the rare ones where asked", async () => {
    const line = (word: string, count: string) =>
      `${passwordDigest(word).toString("hex").toUpperCase()}${count}`;
    const list = await file(
      "sha1.txt",
      [line("often", ":900"), line("rarely", ":2"), line("uncounted", "")].join("\n"),
    );
    const filter = await buildFilter(list, { ...rate, minCount: 10 });
    const breached = createBreachedPasswords(undefined, readBloomFilter(filter.toBytes()));
    expect([
      filter.entries,
      breached.find("often"),
      breached.find("rarely"),
      breached.find("uncounted"),
    ]).toEqual([2, "breached", undefined, "breached"]);
    const mixed = await file("mixed.txt", `${line("often", "")}\nplain\n`);
    await expect(buildFilter(mixed, rate)).rejects.toThrow("mixed.txt:2: not a SHA-1 line");
  });

  it("keep to the rate asked for", () => {
    for (const wanted of [0.1, 0.01, 0.001]) {
      const filter = createBloomFilter(5_000, wanted);
      for (let at = 0; at < 5_000; at++) filter.add(passwordDigest(`in ${at}`));
      let alarms = 0;
      for (let at = 0; at < 20_000; at++) if (filter.has(passwordDigest(`out ${at}`))) alarms++;
      expect(alarms / 20_000).toBeGreaterThan(wanted / 3);
      expect(alarms / 20_000).toBeLessThan(wanted * 2);
    }
  });

  it("are refused when missing, foreign, cut or empty", async () => {
    const good = createBloomFilter(10, 0.01).toBytes();
    const settings = (breachedFilterPath: string) => ({ breachedCheck: true, breachedFilterPath });
    const broken = [
      join(directory, "missing.bloom"),
      await file("foreign.bloom", "not a filter at all, but long enough to be one"),
      await file("cut.bloom", good.subarray(0, good.length - 1)),
      await file("empty.bloom", ""),
    ];
    for (const path of broken) {
      await expect(loadBreachedPasswords(settings(path))).rejects.toThrow(
        "cannot read the breached-password filter",
      );
    }
    await expect(buildFilter(await file("empty.txt", "\n"), rate)).rejects.toThrow("holds no entries");
    expect(() => createBloomFilter(1e9, 0.0001)).toThrow(RangeError);
    expect(() => createBloomFilter(10, 0)).toThrow(RangeError);
  });
});

describe("strength feedback", () => {
  const lists = { find: (password: string) => (password === "letmein1" ? ("common" as const) : undefined) };

  it.each([
    ["letmein1", 0, ["common"]],
    ["aaaaaaaaaaaa", 0, ["repetition", "longer"]],
    ["abcdefghijkl", 0, ["sequence", "longer"]],
    ["qwertyuiop", 0, ["sequence", "longer"]],
    ["bkxbkxbkxbkx", 1, ["repetition", "longer"]],
    ["acmeacme7", 0, ["context", "longer"]],
    ["hk4v9xt", 3, []],
    ["correct horse battery staple", 4, []],
  ])("%s → %i %j", (password, score, hints) => {
    const strength = estimateStrength(password, lists, ["acme"]);
    expect(strength.score).toBe(score);
    expect([...strength.hints].sort()).toEqual([...hints].sort());
  });

  it("asks for no kind of character: length alone reaches the top", () => {
    expect(estimateStrength("horsestaplebatterycorrect", lists).score).toBe(4);
    expect(estimateStrength("", lists)).toEqual({ score: 0, bits: 0, hints: ["longer"] });
  });
});
