import { expect } from "vitest";
import { newAddress, newPerson, type Person } from "./accounts.ts";
import type { Target } from "./cluster.ts";

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

export interface Load {
  readonly light: Tally;
  readonly registrations: Tally;
  readonly refreshes: Tally;
  readonly calls: Tally;
  /** Accounts whose registration was acknowledged. */
  readonly acknowledged: string[];
  /** Ids of accounts that the management API acknowledged. */
  readonly created: string[];
  /** The refresh token each session holds now. */
  readonly sessions: string[];
  /** Ends the load and waits for the requests in flight. */
  stop(): Promise<void>;
}

export function tally(): Tally {
  return { succeeded: 0, unanswered: 0, refused: new Map(), lastFailure: 0, samples: [] };
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** One request, counted; undefined when no answer came. */
export async function ask(into: Tally, url: string, init: RequestInit): Promise<Answer | undefined> {
  try {
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(15_000) });
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

/** Milliseconds between two requests of one loop, so that a small machine is busy but not drowned. */
const pace = 5;
/** Milliseconds after a request that met an outage: a dozen loops at full pace would keep a small machine from ending it. */
const outagePace = 100;

/**
 * Keep-alive load of four kinds at once: key documents, registrations, chains of refreshes, management calls that write. Sessions behave like a
 * careful client: a refresh whose answer was lost is repeated with the same token. The cluster runs without rate limits, or behind a proxy.
 */
export async function startLoad(cluster: Target, sessionCount = 8): Promise<Load> {
  let running = true;
  const load = { light: tally(), registrations: tally(), refreshes: tally(), calls: tally() };
  const acknowledged: string[] = [];
  const created: string[] = [];
  const sessions: string[] = [];
  const register = (person: Person): RequestInit =>
    jsonPost({ identifier: person.email, username: person.username, password: person.password });

  for (let index = 0; index < sessionCount; index++) {
    const answer = await ask(tally(), `${cluster.api}/register`, register(newPerson()));
    sessions.push(String(answer?.body["refresh_token"]));
  }

  const loop = async (into: Tally, step: () => Promise<void>): Promise<void> => {
    while (running) {
      const before = into.lastFailure;
      await step();
      await new Promise((resolve) => setTimeout(resolve, into.lastFailure > before ? outagePace : pace));
    }
  };
  const loops = [
    ...[0, 1, 2, 3].map(() =>
      loop(load.light, async () => void (await ask(load.light, `${cluster.url}/.well-known/jwks.json`, {}))),
    ),
    ...[0, 1].map(() =>
      loop(load.registrations, async () => {
        const person = newPerson();
        const answer = await ask(load.registrations, `${cluster.api}/register`, register(person));
        if (answer !== undefined && answer.status < 300) acknowledged.push(person.email);
      }),
    ),
    ...sessions.map((_, index) =>
      loop(load.refreshes, async () => {
        const body = { grant_type: "refresh_token", refresh_token: sessions[index] };
        const answer = await ask(load.refreshes, `${cluster.api}/token`, jsonPost(body));
        if (answer?.status === 200) sessions[index] = String(answer.body["refresh_token"]);
      }),
    ),
    loop(load.calls, async () => {
      const person = newPerson();
      const answer = await ask(
        load.calls,
        `${cluster.url}/v1/call/CreateUser`,
        jsonPost({ email: person.email, username: person.username }, cluster.managementToken),
      );
      const result = answer?.body["result"];
      if (answer?.status === 200 && typeof result === "object" && result !== null)
        created.push(String(Reflect.get(result, "ID")));
    }),
  ];
  return {
    ...load,
    acknowledged,
    created,
    sessions,
    async stop() {
      running = false;
      await Promise.all(loops);
    },
  };
}

/** Statuses a tally may not show: the server's own failures. Overload and outage are 503 and allowed. */
export function serverErrors(of: Tally): string[] {
  return [...of.refused.keys()].some((status) => status >= 500 && status !== 503) ? of.samples : [];
}

/** Asserts that the load met nothing but an outage told honestly: 503, every request answered, and the key set throughout. */
export function onlyOutage(load: Load): void {
  for (const part of [load.light, load.registrations, load.refreshes, load.calls]) {
    expect(serverErrors(part)).toEqual([]);
    expect([...part.refused.keys()].filter((status) => status !== 503)).toEqual([]);
    expect(part.unanswered).toBe(0);
  }
  // The key set needs neither database nor Redis.
  expect([...load.light.refused]).toEqual([]);
}

/** Asserts that nothing failed at all. */
export function nothingFailed(load: Load): void {
  for (const part of [load.light, load.registrations, load.refreshes, load.calls]) {
    const { unanswered, refused, samples } = part;
    expect({ unanswered, refused: [...refused], samples }).toEqual({
      unanswered: 0,
      refused: [],
      samples: [],
    });
  }
}
