import { timingSafeEqual } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";
import { installation } from "../installation.ts";

export type Argon2Type = "argon2id" | "argon2i" | "argon2d";

/** One Argon2 computation (RFC 9106), every input explicit and already bounded by the caller. */
export interface Argon2Request {
  readonly type: Argon2Type;
  /** 0x13 or, for old imports, 0x10. */
  readonly version: 16 | 19;
  /** KiB. */
  readonly memory: number;
  readonly iterations: number;
  readonly parallelism: number;
  readonly salt: Buffer;
  /** Bytes. */
  readonly tagLength: number;
  readonly password: Buffer;
}

/** An implementation of Argon2. The computation runs off the event loop; callers keep one in flight a process. */
export interface Argon2Kernel {
  readonly name: string;
  derive(request: Argon2Request): Promise<Buffer>;
}

/** A kernel that may be missing on this platform: `load` rejects when it is. */
export interface KernelCandidate {
  readonly name: string;
  load(): Promise<Argon2Kernel>;
}

const nativeFile = join(installation, "native/hashing/dist/authkit-hashing.node");
const codes: Readonly<Record<Argon2Type, number>> = { argon2d: 0, argon2i: 1, argon2id: 2 };

type Tag = (
  algorithm: number,
  version: number,
  password: Buffer,
  salt: Buffer,
  memory: number,
  passes: number,
  lanes: number,
  length: number,
) => Promise<Buffer>;

function isNative(loaded: unknown): loaded is { readonly tag: Tag; readonly shape: () => string } {
  return typeof loaded === "object" && loaded !== null && "tag" in loaded && "shape" in loaded;
}

/**
 * Our own kernel, where it has been built (`npm run build:native`): one arena of huge pages a process instead of fresh memory for each hash,
 * and the widest instructions the processor has.
 */
export const nativeKernel: KernelCandidate = {
  name: "native",
  async load() {
    const loaded: unknown = createRequire(import.meta.url)(nativeFile);
    if (!isNative(loaded)) throw new Error("the built module is another one");
    return {
      name: `native (${loaded.shape()})`,
      derive: ({ type, version, password, salt, memory, iterations, parallelism, tagLength }) =>
        loaded.tag(codes[type], version, password, salt, memory, iterations, parallelism, tagLength),
    };
  },
};

/** The RustCrypto-descended kernel with prebuilt binaries: twice the throughput of the C reference at equal parameters. */
export const nodeRsKernel: KernelCandidate = {
  name: "@node-rs/argon2",
  async load() {
    const { hashRaw } = await import("@node-rs/argon2");
    return {
      name: "@node-rs/argon2",
      derive: (request) =>
        hashRaw(request.password, {
          algorithm: request.type === "argon2id" ? 2 : request.type === "argon2i" ? 1 : 0,
          version: request.version === 19 ? 1 : 0,
          memoryCost: request.memory,
          timeCost: request.iterations,
          parallelism: request.parallelism,
          outputLen: request.tagLength,
          salt: request.salt,
        }),
    };
  },
};

/** The C reference implementation: serves where the first has no binary. */
export const referenceKernel: KernelCandidate = {
  name: "argon2",
  async load() {
    const argon2 = await import("argon2");
    return {
      name: "argon2",
      derive: (request) =>
        argon2.hash(request.password, {
          type: argon2[request.type],
          version: request.version,
          memoryCost: request.memory,
          timeCost: request.iterations,
          parallelism: request.parallelism,
          hashLength: request.tagLength,
          salt: request.salt,
          raw: true,
        }),
    };
  },
};

/** In order of preference; a faster kernel is put first. */
export const kernelCandidates: readonly KernelCandidate[] = [nativeKernel, nodeRsKernel, referenceKernel];

/**
 * Loads the first kernel that exists here and answers a known vector rightly: a broken binary must never store hashes that
 * nothing else can verify.
 *
 * @throws Error naming every candidate's failure when none works.
 */
export async function loadArgon2Kernel(
  candidates: readonly KernelCandidate[] = kernelCandidates,
): Promise<Argon2Kernel> {
  const failures: string[] = [];
  for (const candidate of candidates) {
    try {
      const kernel = await candidate.load();
      await selfTest(kernel);
      return kernel;
    } catch (error) {
      failures.push(`${candidate.name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`no Argon2 kernel works on this machine (${failures.join("; ")})`);
}

/** Argon2id of "password" / "somesalt", m=64 t=2 p=1: computed with the reference command line tool. */
const knownTag = Buffer.from("16a1a498734609dd01456da406de9f3d9da93e6c86c300a12fc1465214ce4922", "hex");

async function selfTest(kernel: Argon2Kernel): Promise<void> {
  const tag = await kernel.derive({
    type: "argon2id",
    version: 19,
    memory: 64,
    iterations: 2,
    parallelism: 1,
    salt: Buffer.from("somesalt"),
    tagLength: 32,
    password: Buffer.from("password"),
  });
  if (tag.length !== knownTag.length || !timingSafeEqual(tag, knownTag))
    throw new Error("wrong answer to a known vector");
}
