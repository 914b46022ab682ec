import type { Bench, Line } from "./bench.ts";
import { drive, type LoadOptions, type Measured } from "./load.ts";
import type { ClusterService, Service } from "./services.ts";

/** Short enough that what else happens on the machine meets both, long enough that starting a load is no part of it. */
const turns = 4;

/** What of a line follows from both. */
type Compared = Required<Pick<Line, "ours" | "observed" | "observedAnswers" | "raw" | "ratio" | "note">>;

/** What several measurements of the same come to. */
function together(parts: readonly Measured[]): Measured {
  const sum = (of: (part: Measured) => number): number => parts.reduce((total, part) => total + of(part), 0);
  const answers = sum((part) => part.answers);
  return {
    answers,
    rate: sum((part) => part.rate) / parts.length,
    p50: sum((part) => part.p50) / parts.length,
    // Of no use to be averaged: the worst turn's.
    p99: Math.max(...parts.map((part) => part.p99)),
    errors: sum((part) => part.errors),
    refused: sum((part) => part.refused),
    cpuMicros: answers === 0 ? 0 : sum((part) => part.cpuMicros * part.answers) / answers,
  };
}

/** What a bare loop, which says nothing but its rate, comes to beside a server. */
export function onlyRate(rate: number, seconds: number): Measured {
  return { answers: rate * seconds, rate, p50: 0, p99: 0, errors: 0, refused: 0, cpuMicros: 0 };
}

/** One of two that are compared: what is measured, and where it is looked at what that cost, if anywhere. */
export interface Party {
  readonly cluster?: ClusterService;
  drive(seconds: number): Promise<Measured>;
}

interface Turns extends Required<Pick<Line, "observed" | "observedAnswers">> {
  readonly first: Measured;
  readonly second: Measured;
}

/**
 * Two in turns, each of which gets `duration` seconds in all. A turn before that does not count: code is compiled in it.
 *
 * @returns what the last turn of the second cost whom is in it.
 */
export async function inTurns(bench: Bench, duration: number, one: Party, other: Party): Promise<Turns> {
  const firsts: Measured[] = [];
  const seconds: Measured[] = [];
  const length = Math.max(1, duration / turns);
  const turn = async () => {
    firsts.push(await one.drive(length));
    const [measured, observed] = await bench.observe(() => other.drive(length), other.cluster);
    seconds.push(measured);
    return { observed, observedAnswers: measured.answers };
  };
  await one.drive(length);
  await other.drive(length);
  let last = await turn();
  while (seconds.length < turns) last = await turn();
  return { ...last, first: together(firsts), second: together(seconds) };
}

/** A bare server, or a bare loop, and ours, {@link inTurns}. */
export async function beside(
  bench: Bench,
  duration: number,
  bare: Party["drive"],
  ours: Party["drive"],
): Promise<Compared> {
  const measured = await inTurns(bench, duration, { drive: bare }, { drive: ours });
  const { first: raw, second: all, ...last } = measured;
  const note = raw.cpuMicros === 0 ? "" : `bare ${raw.cpuMicros.toFixed(1)} µs/req`;
  return { ...last, ours: all, raw: raw.rate, ratio: all.rate / raw.rate, note };
}

/** Conversations with a bare server and with ours, as {@link beside}. */
export function conversationsBeside(
  bench: Bench,
  bare: Service,
  raw: LoadOptions["conversation"],
  ours: LoadOptions["conversation"],
): Promise<Compared> {
  const { connections, duration } = bench.options;
  const at =
    ({ url, pid }: Service, conversation: LoadOptions["conversation"]) =>
    (seconds: number): Promise<Measured> =>
      drive({ url, connections, duration: seconds, servers: [pid], conversation });
  return beside(bench, duration, at(bare, raw), at(bench.cluster, ours));
}
