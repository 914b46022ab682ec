import { randomInt } from "node:crypto";
import { expect } from "vitest";

/** Milliseconds a piece of work takes. */
export type Work = () => Promise<unknown>;

export interface Samples {
  readonly ofFirst: readonly number[];
  readonly ofSecond: readonly number[];
}

async function took(work: Work): Promise<number> {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Does each pair one after the other, in an order thrown each time, so that whatever else the machine does meets both alike. */
export async function sampled(pairs: readonly (readonly [Work, Work])[]): Promise<Samples> {
  const [ofFirst, ofSecond]: [number[], number[]] = [[], []];
  for (const [first, second] of pairs) {
    if (randomInt(2) === 0) {
      ofFirst.push(await took(first));
      ofSecond.push(await took(second));
    } else {
      ofSecond.push(await took(second));
      ofFirst.push(await took(first));
    }
  }
  return { ofFirst, ofSecond };
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** How often the one of the first takes longer than one of the second: 0.5 when it cannot be told which is which. */
export function superiority({ ofFirst, ofSecond }: Samples): number {
  let wins = 0;
  for (const a of ofFirst) for (const b of ofSecond) wins += a > b ? 1 : a === b ? 0.5 : 0;
  return wins / (ofFirst.length * ofSecond.length);
}

/** Beyond this an answer of 24 pairs is a difference, not chance (more than three standard deviations of the rank sum). */
const tellable = 0.8;
/** Share of the longer time that a difference must come to, and milliseconds it must in any case: less is the machine's. */
const [share, least] = [0.15, 2];
const rounds = 3;

function distinguishes(samples: Samples): boolean {
  const [a, b] = [median(samples.ofFirst), median(samples.ofSecond)];
  const rank = superiority(samples);
  return Math.max(rank, 1 - rank) > tellable && Math.abs(a - b) > Math.max(least, share * Math.max(a, b));
}

/**
 * Fails when times tell two kinds of work apart: by rank and by medians, three times in a row. Noise makes both kinds alike, so that a slow or
 * busy machine passes.
 */
export async function expectIndistinguishable(measure: () => Promise<Samples>): Promise<void> {
  const seen: string[] = [];
  for (let round = 0; round < rounds; round++) {
    const samples = await measure();
    if (!distinguishes(samples)) return;
    const [a, b] = [median(samples.ofFirst), median(samples.ofSecond)];
    seen.push(`${a.toFixed(1)} ms and ${b.toFixed(1)} ms, ${superiority(samples).toFixed(2)} longer`);
  }
  expect.fail(`times tell them apart: ${seen.join("; ")}`);
}
