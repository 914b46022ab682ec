import { type Conversation, drive, type Measured, type NextRequest, repeat } from "./load.ts";
import type { Observation } from "./observation/observer.ts";
import type { BenchOptions } from "./options.ts";
import { emailOf, password, refreshTokenOf } from "./schema.ts";
import type { ClusterService, ClusterSettings, Service } from "./services.ts";

/** What a scenario works with. */
export interface Bench {
  readonly options: BenchOptions;
  readonly postgres: Service;
  readonly databaseUrl: string;
  /** The hash parameters the cluster uses, as `m=,t=,p=`. */
  readonly argon2: string;
  /** The cluster with limits off. */
  readonly cluster: ClusterService;
  /** A further cluster on the same database, for scenarios that want other settings; the scenario stops it. */
  startCluster(settings: Partial<ClusterSettings>): Promise<ClusterService>;
  /** Runs one measurement of a cluster (the one with limits off, unless another is named) and tells what it cost whom. */
  observe<T>(work: () => Promise<T>, cluster?: ClusterService): Promise<readonly [T, Observation]>;
  /** Numbers of seeded sessions nobody has used yet. */
  takeSessions(count: number): number;
}

/** One line of the report. */
export interface Line {
  readonly path: string;
  readonly ours?: Measured;
  /** What `ours` cost whom. */
  readonly observed?: Observation;
  /** Answers that were observed, where other load ran beside `ours`. */
  readonly observedAnswers?: number;
  /** Whether the load came at a fixed rate below capacity. */
  readonly paced?: boolean;
  /** What the ratio is against, in words. */
  readonly against?: string;
  readonly raw?: number;
  readonly ratio?: number;
  /** The budget in words, and whether it is met. */
  readonly budget?: string;
  readonly met?: boolean;
  readonly note?: string;
}

export interface Scenario {
  readonly name: string;
  run(bench: Bench): Promise<readonly Line[]>;
}

const json = { "content-type": "application/json" };

export const post = (path: string, body: unknown, headers: Record<string, string> = {}): NextRequest => ({
  method: "POST",
  path,
  headers: { ...json, ...headers },
  body: JSON.stringify(body),
});

/** Accounts in a fixed but scattered order, so that neighbours in the table are no neighbours in time. */
export function accounts(users: number, offset: number): () => number {
  let n = offset;
  return () => {
    n = (n + 7_919) % users;
    return n;
  };
}

/** Password logins of changing accounts. */
export function logins(users: number, index: number): Conversation {
  const next = accounts(users, index * 104_729);
  return { next: () => post("/api/v1/password/login", { email: emailOf(next()), password }) };
}

/** One session that is refreshed again and again, each time with the token the last answer gave. */
export function refreshes(session: number): Conversation {
  let token = refreshTokenOf(session);
  return {
    next: () => post("/api/v1/token", { grant_type: "refresh_token", refresh_token: token }),
    answered(status, body) {
      if (status !== 200) return;
      const reply: unknown = JSON.parse(body);
      if (typeof reply === "object" && reply !== null && "refresh_token" in reply)
        token = String(reply.refresh_token);
    },
  };
}

/** An access token of a seeded account. */
export async function signIn(url: string, user: number): Promise<string> {
  const reply = await fetch(`${url}/api/v1/password/login`, {
    method: "POST",
    headers: json,
    body: JSON.stringify({ email: emailOf(user), password }),
  });
  const parsed: unknown = await reply.json();
  if (typeof parsed === "object" && parsed !== null && "access_token" in parsed)
    return String(parsed.access_token);
  throw new Error(`sign-in of a seeded account failed: ${JSON.stringify(parsed)}`);
}

export type { Conversation, Measured, NextRequest };
export { drive, emailOf, repeat };
