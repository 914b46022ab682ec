// ELF64 section types and the layout of the entries touched (System V gABI, chapters 4 and 5; GNU symbol versioning).
const SHT_DYNSYM = 11;
const SHT_GNU_VERNEED = 0x6ffffffe;
const SHT_GNU_VERSYM = 0x6fffffff;
const VER_FLG_WEAK = 2;
const C23_PREFIX = "__isoc23_";
const NEEDED = "GLIBC_2.38";

interface Section {
  readonly type: number;
  readonly offset: number;
  readonly size: number;
  readonly link: number;
}

function sections(image: Buffer): Section[] {
  if (image.length < 64 || image.readUInt32BE(0) !== 0x7f454c46 || image[4] !== 2 || image[5] !== 1) {
    throw new Error("not a little-endian 64-bit ELF file");
  }
  const start = Number(image.readBigUInt64LE(0x28));
  const entrySize = image.readUInt16LE(0x3a);
  const count = image.readUInt16LE(0x3c);
  return Array.from({ length: count }, (_, index) => {
    const at = start + index * entrySize;
    return {
      type: image.readUInt32LE(at + 4),
      offset: Number(image.readBigUInt64LE(at + 24)),
      size: Number(image.readBigUInt64LE(at + 32)),
      link: image.readUInt32LE(at + 40),
    };
  });
}

function text(image: Buffer, at: number): string {
  return image.toString("latin1", at, image.indexOf(0, at));
}

interface VersionNeed {
  readonly library: string;
  readonly name: string;
  readonly index: number;
  readonly flagsAt: number;
}

function versionNeeds(image: Buffer, section: Section, strings: Section): VersionNeed[] {
  const needs: VersionNeed[] = [];
  for (let at = section.offset; ; ) {
    const count = image.readUInt16LE(at + 2);
    const library = text(image, strings.offset + image.readUInt32LE(at + 4));
    let entry = at + image.readUInt32LE(at + 8);
    for (let i = 0; i < count; i++) {
      const name = text(image, strings.offset + image.readUInt32LE(entry + 8));
      needs.push({ library, name, index: image.readUInt16LE(entry + 6), flagsAt: entry + 4 });
      entry += image.readUInt32LE(entry + 12);
    }
    const next = image.readUInt32LE(at + 12);
    if (next === 0) return needs;
    at += next;
  }
}

/**
 * Makes a shared object that was built against glibc 2.38 loadable with an older glibc. Such builds ask for version GLIBC_2.38 only because
 * the headers rename `strtol` and its kin to their C23 variants; the older functions differ only in not accepting binary literals. The
 * C23 imports are pointed at the old names and their base version, and the GLIBC_2.38 need becomes weak.
 *
 * Returns a new image, or `undefined` when nothing asks for GLIBC_2.38. Throws when the image is no ELF file or needs more than the C23 names.
 */
export function relinkToOlderGlibc(
  original: Buffer,
  base = process.arch === "arm64" ? "GLIBC_2.17" : "GLIBC_2.2.5",
): Buffer | undefined {
  const image = Buffer.from(original);
  const all = sections(image);
  const symbols = all.find((s) => s.type === SHT_DYNSYM);
  const versions = all.find((s) => s.type === SHT_GNU_VERSYM);
  const needSection = all.find((s) => s.type === SHT_GNU_VERNEED);
  const strings = symbols && all[symbols.link];
  const needStrings = needSection && all[needSection.link];
  if (!symbols || !versions || !strings || !needSection || !needStrings) {
    throw new Error("the ELF file has no versioned dynamic symbols");
  }
  const needs = versionNeeds(image, needSection, needStrings);
  const tooNew = needs.find((need) => need.name === NEEDED);
  if (!tooNew) return undefined;
  const old = needs.find((need) => need.library === tooNew.library && need.name === base);
  if (!old) throw new Error(`the ELF file does not use ${base} of ${tooNew.library}`);

  for (let i = 0; i < symbols.size / 24; i++) {
    const versionAt = versions.offset + i * 2;
    if ((image.readUInt16LE(versionAt) & 0x7fff) !== tooNew.index) continue;
    const nameAt = symbols.offset + i * 24;
    const nameOffset = image.readUInt32LE(nameAt);
    const name = text(image, strings.offset + nameOffset);
    if (!name.startsWith(C23_PREFIX)) throw new Error(`the symbol ${name} exists only since ${NEEDED}`);
    // The old name is the tail of the new one, so the string table needs no change.
    image.writeUInt32LE(nameOffset + C23_PREFIX.length, nameAt);
    image.writeUInt16LE(old.index, versionAt);
  }
  image.writeUInt16LE(image.readUInt16LE(tooNew.flagsAt) | VER_FLG_WEAK, tooNew.flagsAt);
  return image;
}
