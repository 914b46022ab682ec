import pg from "pg";
import { expect } from "vitest";
import { newAddress } from "./accounts.ts";
import type { Target } from "./cluster.ts";
import { mailOutcome } from "./code-load.ts";
import { call, request } from "./http.ts";
import { type Load, partsOf, reportOf } from "./load.ts";

/** What a load left behind that should not be missing, or is there twice. */
export interface Lost {
  /** Acknowledged accounts that do not exist. */
  readonly accounts: readonly string[];
  /** Acknowledged sessions whose token no longer works. */
  readonly sessions: readonly string[];
  /** Addresses with fewer sessions than sign-ins that were acknowledged. */
  readonly missingSessions: readonly string[];
  /** Addresses with more sessions than requests that could have opened one. */
  readonly duplicateSessions: readonly string[];
  /** Addresses without the message whose request was acknowledged. */
  readonly missingMail: readonly string[];
  /** Addresses with two messages for one request. */
  readonly duplicateMail: readonly string[];
  /** Addresses whose code was refused when it was first used. */
  readonly refusedCodes: readonly string[];
}

const nothing: Lost = {
  accounts: [],
  sessions: [],
  missingSessions: [],
  duplicateSessions: [],
  missingMail: [],
  duplicateMail: [],
  refusedCodes: [],
};

export interface LostOptions {
  /** Codes asked for before this moment (of `performance.now`) were in a store that lost its content: they may be refused. */
  readonly codesSince?: number;
  /**
   * How many messages may be handed over again with the same `Message-ID`: between a mail server's "accepted" and the note of it there is
   * always a moment to die in. Default: any number.
   */
  readonly repeats?: number;
}

/** Seconds until a message whose worker died with it is there: another takes it up when signs of life are overdue. */
const mailSeconds = 120;

/** Those of the items for which the question is answered with yes; several are asked about at once. */
async function selected<T>(items: readonly T[], question: (item: T) => Promise<boolean>): Promise<T[]> {
  const found: T[] = [];
  const waiting = [...items];
  const askAll = async (): Promise<void> => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift())
      if (await question(item)) found.push(item);
  };
  await Promise.all([askAll(), askAll(), askAll(), askAll()]);
  return found;
}

async function sessionsByAddress(databaseUrl: string): Promise<ReadonlyMap<string, number>> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ email: string; sessions: number }>(
      `SELECT email, count(s.id)::int AS sessions FROM profiles.users u
        JOIN profiles.refresh_sessions s ON s.user_id = u.id WHERE email IS NOT NULL GROUP BY email`,
    );
    return new Map(rows.map(({ email, sessions }) => [email, sessions]));
  } finally {
    await client.end();
  }
}

/** Looks for everything that was acknowledged during a load, after it. */
export async function lostOf(cluster: Target, load: Load, options: LostOptions = {}): Promise<Lost> {
  const { openings, codes } = load;
  const held = await sessionsByAddress(cluster.databaseUrl);
  const sessionsOf = (address: string): number => held.get(address) ?? 0;
  const accounts = await selected(load.acknowledged, async (email) => {
    const reply = await call(cluster, "GetUserByEmail", { email });
    return reply.status !== 200 || reply.body["result"] === null;
  });
  const created = await selected(load.created, async (id) => {
    const reply = await call(cluster, "UsersByIDs", { ids: [id] });
    const result = reply.body["result"];
    return typeof result !== "object" || result === null || !JSON.stringify(result).includes(id);
  });
  const sessions = await selected([...load.sessions, ...load.signedIn, ...codes.sessions], async (token) => {
    const body = { grant_type: "refresh_token", refresh_token: token };
    const headers = { "x-forwarded-for": newAddress() };
    const reply = await request(`${cluster.api}/token`, { body, headers });
    return reply.status !== 200;
  });
  const deadline = Date.now() + mailSeconds * 1_000;
  while (mailOutcome(codes, load.mail).missing.length > 0 && Date.now() < deadline)
    await new Promise((resolve) => setTimeout(resolve, 50));
  const mail = mailOutcome(codes, load.mail);
  return {
    accounts: [...accounts, ...created],
    sessions,
    missingSessions: [...openings.acknowledged]
      .filter(([address, count]) => sessionsOf(address) < count)
      .map(([address]) => address),
    duplicateSessions: [...held.keys()].filter(
      // Accounts that a test makes beside the load are its own business.
      (address) => openings.asked.has(address) && sessionsOf(address) > (openings.asked.get(address) ?? 0),
    ),
    missingMail: mail.missing,
    duplicateMail: mail.duplicated,
    refusedCodes: codes.refusedCodes
      .filter(({ begun }) => begun >= (options.codesSince ?? 0))
      .map(({ address }) => address),
  };
}

/** How a test tells what it measured: `annotate` of its context. */
export type Tell = (message: string) => unknown;

/** Asserts that nothing acknowledged is missing and nothing is there twice, and tells what was counted. */
export async function nothingLost(
  cluster: Target,
  load: Load,
  tell: Tell,
  options: LostOptions = {},
): Promise<void> {
  const lost = await lostOf(cluster, load, options);
  const counted = {
    "accounts registered": load.acknowledged.length,
    "accounts created": load.created.length,
    "sessions refreshed": load.sessions.length,
    "sessions by password": load.signedIn.length,
    "sessions by code": load.codes.sessions.length,
    messages: load.codes.asked.length,
    "messages handed over again": mailOutcome(load.codes, load.mail).repeated,
  };
  const numbers = Object.entries(counted).map(([what, count]) => `${what} ${count}`);
  const missing = Object.entries(lost).map(([what, list]) => `${what} ${list.length}`);
  await tell(`counted: ${numbers.join(", ")}; lost: ${missing.join(", ")}; answers: ${reportOf(load)}`);
  expect(lost).toEqual(nothing);
  expect(mailOutcome(load.codes, load.mail).repeated).toBeLessThanOrEqual(options.repeats ?? Infinity);
}

/** Waits until every kind of request of a load has succeeded a few times more. */
export async function everyKindSucceeds(load: Load, times = 3, seconds = 60): Promise<void> {
  const parts = Object.entries(partsOf(load));
  const before = parts.map(([, { succeeded }]) => succeeded);
  const behind = (): string[] =>
    parts.filter(([, part], index) => part.succeeded < (before[index] ?? 0) + times).map(([name]) => name);
  try {
    await until("every kind of request succeeds", seconds, () => behind().length === 0);
  } catch (error) {
    throw new Error(`not within ${seconds} s: ${times} more of ${behind().join(", ")}`, { cause: error });
  }
}

/** Waits until a condition holds; throws with its description when it does not in time. */
export async function until(
  what: string,
  seconds: number,
  condition: () => boolean | Promise<boolean>,
): Promise<void> {
  const deadline = Date.now() + seconds * 1_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
