import { expect } from "vitest";
import { newPerson, type Person } from "./accounts.ts";
import type { Target } from "./cluster.ts";
import { type CodeLoad, startCodeLoad } from "./code-load.ts";
import type { SmtpSink } from "./smtp.ts";
import { ask, jsonPost, serverErrors, summary, type Tally, tally } from "./tally.ts";

export interface Load {
  readonly light: Tally;
  readonly registrations: Tally;
  readonly logins: Tally;
  readonly refreshes: Tally;
  readonly calls: Tally;
  /** Sign-ins by a code that is mailed. */
  readonly codes: CodeLoad;
  /** Where the messages of this load go. */
  readonly mail: SmtpSink;
  /** Accounts whose registration was acknowledged. */
  readonly acknowledged: string[];
  /** Ids of accounts that the management API acknowledged. */
  readonly created: string[];
  /** The refresh token each session of a chain of refreshes holds now. */
  readonly sessions: string[];
  /** Refresh tokens of those who signed in by password. */
  readonly signedIn: string[];
  readonly openings: Openings;
  /** Ends the load and waits for the requests in flight. */
  stop(): Promise<void>;
}

/** What may have opened a session, by address. */
export class Openings {
  /** Requests that were not refused. */
  readonly asked = new Map<string, number>();
  /** Requests that were acknowledged. */
  readonly acknowledged = new Map<string, number>();

  /** Notes a request by its answer; one without an answer, or met by an outage, may have done its work. */
  note(address: string, status: number | undefined): void {
    const add = (to: Map<string, number>): void => void to.set(address, (to.get(address) ?? 0) + 1);
    if (status === undefined || status < 400 || status >= 500) add(this.asked);
    if (status !== undefined && status < 300) add(this.acknowledged);
  }
}

export interface LoadOptions {
  /** Where the cluster sends its mail (see {@link sending}). */
  readonly mail: SmtpSink;
  /** Chains of refreshes; default 8. */
  readonly sessions?: number;
}

/** Environment of a cluster under load: whoever asks for a code is registered, and mail goes to the sink. */
export function sending(mail: SmtpSink): Record<string, string> {
  return {
    AUTHKIT_PASSWORDLESS: "true",
    AUTHKIT_PASSWORDLESS_AUTO_REGISTER: "true",
    AUTHKIT_SMTP_URL: mail.url,
    AUTHKIT_MAIL_FROM: "auth@example.com",
    // A mail to everybody who signs in by password would queue before the codes, which somebody waits for.
    AUTHKIT_NEW_DEVICE_NOTICE: "off",
    // A machine that runs other things beside the test may take longer to end an outage than a careful client is given by default.
    AUTHKIT_REFRESH_ROTATION_GRACE: "10m",
  };
}

/** Milliseconds between two requests of one loop, so that a small machine is busy but not drowned. */
const pace = 5;
/** Milliseconds after a request that met an outage: a dozen loops at full pace would keep a small machine from ending it. */
const outagePace = 100;

/**
 * Keep-alive load of every kind at once: key documents, registrations, sign-ins by password and by mailed code, chains of refreshes, management
 * calls that write. Sessions behave like a careful client: a refresh whose answer was lost is repeated with the same token. The cluster runs
 * with {@link sending} and without rate limits, or behind a proxy.
 */
export async function startLoad(cluster: Target, options: LoadOptions): Promise<Load> {
  let running = true;
  const { mail } = options;
  const load = {
    light: tally(),
    registrations: tally(),
    logins: tally(),
    refreshes: tally(),
    calls: tally(),
  };
  const acknowledged: string[] = [];
  const created: string[] = [];
  const sessions: string[] = [];
  const signedIn: string[] = [];
  const openings = new Openings();
  /** Registered, and not signed in since. */
  const newcomers: Person[] = [];
  const register = (person: Person): RequestInit =>
    jsonPost({ identifier: person.email, username: person.username, password: person.password });

  for (let index = 0; index < (options.sessions ?? 8); index++) {
    const answer = await ask(tally(), `${cluster.api}/register`, register(newPerson()));
    sessions.push(String(answer?.body["refresh_token"]));
  }
  const codes = startCodeLoad(cluster, mail, openings);

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
        openings.note(person.email, answer?.status);
        if (answer === undefined || answer.status >= 300) return;
        acknowledged.push(person.email);
        newcomers.push(person);
      }),
    ),
    loop(load.logins, async () => {
      // Each once: beyond three sessions of one account the oldest goes.
      const person = newcomers.shift();
      if (person === undefined) return;
      const body = { email: person.email, password: person.password };
      const answer = await ask(load.logins, `${cluster.api}/password/login`, jsonPost(body));
      openings.note(person.email, answer?.status);
      if (answer?.status === 200) signedIn.push(String(answer.body["refresh_token"]));
    }),
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
    ...{ codes, mail, acknowledged, created, sessions, signedIn, openings },
    async stop() {
      running = false;
      await Promise.all([...loops, codes.stop()]);
    },
  };
}

/** Every kind of request of a load by its name; those that need the database have the key sets behind them. */
export function partsOf(load: Load): Readonly<Record<string, Tally>> {
  return { "key sets": load.light, ...writesOf(load) };
}

/** The kinds of request that write. */
export function writesOf(load: Load): Readonly<Record<string, Tally>> {
  return {
    registrations: load.registrations,
    logins: load.logins,
    refreshes: load.refreshes,
    "management calls": load.calls,
    "requests for a code": load.codes.starts,
    "sign-ins by code": load.codes.confirmations,
  };
}

/** What the load was answered, in one line. */
export function reportOf(load: Load): string {
  return Object.entries(partsOf(load))
    .map(([name, part]) => `${name}: ${summary(part)}`)
    .join("; ");
}

export interface OutageOptions {
  /** The store of rate limits is away as well: limits of what can be guessed refuse while they cannot count. */
  readonly limits?: boolean;
}

/** A code that was used by a request without an answer is refused when the request is repeated. */
function unexpected(load: Load, part: Tally, options: OutageOptions): number[] {
  const { logins, codes } = load;
  const guessed = part === logins || part === codes.starts || part === codes.confirmations;
  const expected = [503];
  if (part === codes.confirmations) expected.push(400);
  if (guessed && options.limits === true) expected.push(429);
  return [...part.refused.keys()].filter((status) => !expected.includes(status));
}

/** Asserts that nothing was refused but with 503; answers may be missing. */
export function onlyUnavailable(load: Load, options: OutageOptions = {}): void {
  for (const part of Object.values(partsOf(load))) {
    expect(serverErrors(part)).toEqual([]);
    expect(unexpected(load, part, options), part.samples.join("\n")).toEqual([]);
  }
}

/** Asserts that the load met nothing but an outage told honestly: 503, every request answered, and the key set throughout. */
export function onlyOutage(load: Load, options: OutageOptions = {}): void {
  onlyUnavailable(load, options);
  for (const [name, part] of Object.entries(partsOf(load)))
    expect({ name, unanswered: part.unanswered }, part.samples.join("\n")).toEqual({ name, unanswered: 0 });
  // The key set needs neither database nor Redis.
  expect([...load.light.refused]).toEqual([]);
}

/** Asserts that nothing failed at all. */
export function nothingFailed(load: Load): void {
  for (const [name, part] of Object.entries(partsOf(load))) {
    const { unanswered, refused, samples } = part;
    expect({ name, unanswered, refused: [...refused], samples }).toEqual({
      name,
      unanswered: 0,
      refused: [],
      samples: [],
    });
  }
}
