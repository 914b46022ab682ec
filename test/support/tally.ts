import { newAddress } from "./accounts.ts";

/** What one kind of request met during a load. */
export interface Tally {
  succeeded: number;
  /** No answer: reset, refused, timed out. */
  unanswered: number;
  /** Answers by status other than success. */
  readonly refused: Map<number, number>;
  /** Milliseconds (of `performance.now`) of the last failure. */
  lastFailure: number;
  /** A few answers that were no success, for the test's message. */
  readonly samples: string[];
}

export function tally(): Tally {
  return { succeeded: 0, unanswered: 0, refused: new Map(), lastFailure: 0, samples: [] };
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** Longer than the server waits for a connection to its database and then for a statement: an answer that is late is one. */
const patienceMs = 30_000;

/** One request, counted; undefined when no answer came. */
export async function ask(into: Tally, url: string, init: RequestInit): Promise<Answer | undefined> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(patienceMs) });
    const text = await response.text();
    const body: unknown = text.startsWith("{") ? JSON.parse(text) : {};
    const known = typeof body === "object" && body !== null ? Object.fromEntries(Object.entries(body)) : {};
    if (response.ok) into.succeeded++;
    else {
      into.refused.set(response.status, (into.refused.get(response.status) ?? 0) + 1);
      into.lastFailure = performance.now();
      if (into.samples.length < 5) into.samples.push(`${response.status} ${text.slice(0, 200)}`);
    }
    return { status: response.status, body: known };
  } catch (error) {
    into.unanswered++;
    into.lastFailure = performance.now();
    const cause =
      error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
    if (into.samples.length < 5) into.samples.push(cause);
    return undefined;
  }
}

/** A JSON body from an address nobody has used. */
export function jsonPost(body: unknown, bearer?: string): RequestInit {
  return {
    method: "POST",
    headers: {
      "content-type": "application/json",
      "x-forwarded-for": newAddress(),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    },
    body: JSON.stringify(body),
  };
}

/** Statuses a tally may not show: the server's own failures. Overload and outage are 503 and allowed. */
export function serverErrors(of: Tally): string[] {
  return [...of.refused.keys()].some((status) => status >= 500 && status !== 503) ? of.samples : [];
}

/** How a tally is told. */
export function summary({ succeeded, unanswered, refused }: Tally): string {
  const others = [...refused].map(([status, count]) => `, ${count} × ${status}`).join("");
  return `${succeeded} answered, ${unanswered} cut off${others}`;
}
