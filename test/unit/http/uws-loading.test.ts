import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkEngine } from "../../../src/cli/doctor/engine.ts";
import { copyPlaces, openRelinked } from "../../../src/platform/http/uws/copy.ts";
import { EngineUnavailable, loadingPlan } from "../../../src/platform/http/uws/load.ts";
import { relinkToOlderGlibc } from "../../../src/platform/http/uws/relink.ts";
import { isOurs } from "../../../src/platform/ownership.ts";
import { preparedCode } from "../../../src/platform/prepared-code.ts";
import { config } from "../config/load.ts";

test.each([
  ["darwin", undefined, "direct"],
  ["win32", undefined, "direct"],
  ["linux", [2, 38], "direct"],
  ["linux", [3, 0], "direct"],
  ["linux", [2, 37], "relinked"],
  ["linux", [2, 36], "relinked"],
  ["linux", [2, 35], { unavailable: "glibc 2.35 is older than 2.36" }],
  ["linux", undefined, { unavailable: "no glibc (musl?)" }],
] as const)("on %s with glibc %s it is loaded: %s", (platform, glibc, plan) => {
  expect(loadingPlan(platform, glibc)).toEqual(plan);
});

const source = join(
  dirname(createRequire(import.meta.url).resolve("uWebSockets.js")),
  `uws_linux_${process.arch}_${process.versions.modules}.node`,
);
const root = process.geteuid?.() === 0;
const asRoot = root ? "" : " (needs root: left out)";

describe("a copy that an older glibc loads", () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), "authkit-copy-"));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** Makes or finds the copy; its path on disk, and what is in the open file. */
  function copied(): { readonly file: string; readonly content: Buffer } {
    const copy = openRelinked(source, directory);
    if (copy === undefined) throw new Error("the binary needs no copy");
    const content = readFileSync(copy.path);
    copy.close();
    return { file: copy.file, content };
  }
  const image = relinkToOlderGlibc(readFileSync(source));

  test("asks for nothing newer, can be read by everybody, written by its owner, and is used again", () => {
    const first = copied();
    expect(first.content.equals(image ?? Buffer.alloc(0))).toBe(true);
    expect(statSync(first.file).mode & 0o777).toBe(0o644);
    const { ino } = statSync(first.file);
    expect(copied().file).toBe(first.file);
    expect(statSync(first.file).ino).toBe(ino);
    expect(readdirSync(directory)).toHaveLength(1);
  });

  test("that is damaged is made anew", () => {
    const { file } = copied();
    writeFileSync(file, "half");
    expect(copied().content.equals(image ?? Buffer.alloc(0))).toBe(true);
  });

  test("that others may write is not used but replaced", () => {
    const { file } = copied();
    chmodSync(file, 0o666);
    const { ino } = statSync(file);
    copied();
    expect(statSync(file)).toMatchObject({ mode: 0o100644 });
    expect(statSync(file).ino).not.toBe(ino);
  });

  test("that is a link to somewhere else is not followed", () => {
    const { file } = copied();
    const elsewhere = join(directory, "elsewhere");
    writeFileSync(elsewhere, readFileSync(file));
    rmSync(file);
    symlinkSync(elsewhere, file);
    copied();
    expect(readdirSync(directory, { withFileTypes: true }).some((entry) => entry.isSymbolicLink())).toBe(
      false,
    );
  });

  test(`that belongs to somebody else is not used but replaced${asRoot}`, () => {
    if (!root) return;
    const { file } = copied();
    chownSync(file, 65_532, 65_532);
    copied();
    expect(statSync(file).uid).toBe(0);
  });

  test("is not written where others write", () => {
    chmodSync(directory, 0o777);
    expect(() => openRelinked(source, directory)).toThrow("somebody else may write there");
  });

  test("is looked for in the installation, then in the state directory, then in one of this user's", () => {
    const own = join(tmpdir(), `authkit-server-${process.geteuid?.()}`, "uws");
    expect(copyPlaces("/var/lib/authkit")).toEqual([join(preparedCode, "uws"), "/var/lib/authkit/uws", own]);
    expect(copyPlaces()).toEqual([join(preparedCode, "uws"), own]);
  });

  test("cannot be made of what is no ELF file", () => {
    const file = join(directory, "x.node");
    writeFileSync(file, "x".repeat(100));
    mkdirSync(join(directory, "cache"));
    expect(() => openRelinked(file, join(directory, "cache"))).toThrow("not a little-endian 64-bit ELF file");
  });
});

test("ours is what root or this user owns and nobody else may write", () => {
  const uid = process.geteuid?.() ?? 0;
  expect(isOurs({ uid, mode: 0o100755 })).toBe(true);
  expect(isOurs({ uid: 0, mode: 0o100644 })).toBe(true);
  expect(isOurs({ uid: uid + 1, mode: 0o100644 })).toBe(false);
  expect(isOurs({ uid, mode: 0o100664 })).toBe(false);
  expect(isOurs({ uid, mode: 0o100646 })).toBe(false);
});

describe("doctor about the engine", () => {
  const settings = config({});
  const withEngine = (engine: "auto" | "uws" | "node") => ({
    ...settings,
    server: { ...settings.server, engine },
  });
  const fails = () => {
    throw new EngineUnavailable("/app: read-only");
  };

  test("names the fast one, and the slow one that was asked for", () => {
    expect(checkEngine(withEngine("auto"))).toEqual([{ state: "ok", what: "HTTP engine: uWebSockets.js" }]);
    expect(checkEngine(withEngine("node"), fails)).toMatchObject([{ state: "ok" }]);
  });

  test("warns of the slow one that nobody asked for, with the reason and what to do", () => {
    expect(checkEngine(withEngine("auto"), fails)).toEqual([
      {
        state: "warning",
        what: "HTTP engine: node:http, which is slower, because /app: read-only",
        fix: expect.stringContaining("authkit-server prepare"),
      },
    ]);
    expect(checkEngine(withEngine("uws"), fails)).toMatchObject([{ state: "problem" }]);
  });
});
