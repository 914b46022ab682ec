import type { Argon2Kernel } from "./kernel.ts";
import type { Argon2Parameters } from "./port.ts";

export interface Measurement extends Argon2Parameters {
  /** Median milliseconds of one hash with nothing else running. */
  readonly milliseconds: number;
}

export interface Calibration {
  readonly measured: readonly Measurement[];
  /** The strongest within the target; undefined when even the weakest acceptable parameters exceed it. */
  readonly recommended: Measurement | undefined;
}

/**
 * Memory in KiB with the fewest passes OWASP accepts for it (Password Storage Cheat Sheet; ASVS 5.0, 11.4.2). Memory costs an attacker
 * with special hardware more than passes do, so the ladder climbs memory first.
 */
const ladder: readonly Pick<Argon2Parameters, "memory" | "iterations">[] = [
  { memory: 19_456, iterations: 2 },
  { memory: 47_104, iterations: 1 },
  { memory: 65_536, iterations: 1 },
  { memory: 65_536, iterations: 2 },
  { memory: 65_536, iterations: 3 },
  { memory: 131_072, iterations: 1 },
  { memory: 131_072, iterations: 2 },
  { memory: 131_072, iterations: 3 },
  { memory: 262_144, iterations: 1 },
  { memory: 262_144, iterations: 2 },
  { memory: 262_144, iterations: 3 },
];

/** Enough that one interruption does not decide. */
const runs = 5;

/** Measures the ladder on this machine until a step takes twice the target, and picks the strongest step within it. */
export async function calibrate(kernel: Argon2Kernel, targetMs: number): Promise<Calibration> {
  const measured: Measurement[] = [];
  for (const { memory, iterations } of ladder) {
    const parameters = { memory, iterations, parallelism: 1 };
    const milliseconds = await median(kernel, parameters);
    measured.push({ ...parameters, milliseconds });
    if (milliseconds > 2 * targetMs) break;
  }
  const recommended = measured.findLast((step) => step.milliseconds <= targetMs);
  return { measured, recommended };
}

async function median(kernel: Argon2Kernel, parameters: Argon2Parameters): Promise<number> {
  const request = {
    type: "argon2id",
    version: 19,
    ...parameters,
    salt: Buffer.alloc(16, 1),
    tagLength: 32,
    password: Buffer.from("correct horse battery staple"),
  } as const;
  await kernel.derive(request);
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const began = performance.now();
    await kernel.derive(request);
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
}
