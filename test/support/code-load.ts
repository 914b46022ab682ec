import { newPerson } from "./accounts.ts";
import type { Target } from "./cluster.ts";
import type { Openings } from "./load.ts";
import type { ReceivedMail, SmtpSink } from "./smtp.ts";
import { carried } from "./smtp.ts";
import { ask, jsonPost, type Tally, tally } from "./tally.ts";

/** What passwordless sign-ins met: a job, a code in Redis and a mail each, beside the session in the database. */
export interface CodeLoad {
  readonly starts: Tally;
  readonly confirmations: Tally;
  /** Addresses whose request for a code was acknowledged. */
  readonly asked: string[];
  /** Every address a code was asked for; whether the request was acknowledged or not, it was made once. */
  readonly tried: string[];
  /** Refresh tokens of those who signed in. */
  readonly sessions: string[];
  /** Codes that were refused as wrong when they were first used, with the moment (of `performance.now`) they were asked for. */
  readonly refusedCodes: { readonly address: string; readonly begun: number }[];
  /** Nobody begins any more; resolves when those under way are through, or have waited a minute for their mail or an answer. */
  stop(): Promise<void>;
}

/** Milliseconds between two of one person's looks into the mailbox. */
const lookMs = 20;
const patienceMs = 60_000;
/** Milliseconds after a request that met an outage. */
const outageMs = 100;

/**
 * People nobody knows yet sign in by a code sent to them, some at once. Like a careful client they repeat a confirmation that met an
 * outage, and ask for no second code. The cluster must register whoever comes, and send its mail to the sink.
 */
export function startCodeLoad(cluster: Target, mail: SmtpSink, openings: Openings, people = 3): CodeLoad {
  let running = true;
  const load = { starts: tally(), confirmations: tally() };
  const asked: string[] = [];
  const tried: string[] = [];
  const sessions: string[] = [];
  const refusedCodes: { address: string; begun: number }[] = [];
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

  async function mailTo(address: string): Promise<ReceivedMail | undefined> {
    const deadline = Date.now() + patienceMs;
    for (let seen = Math.max(0, mail.messages().length - 50); Date.now() < deadline; await pause(lookMs)) {
      const messages = mail.messages();
      for (; seen < messages.length; seen++) {
        const one = messages[seen];
        if (one?.to.includes(address) === true) return one;
      }
    }
    return undefined;
  }

  async function confirm(address: string, code: string): Promise<number | undefined> {
    const url = `${cluster.api}/passwordless/confirm`;
    const answer = await ask(load.confirmations, url, jsonPost({ identifier: address, code }));
    openings.note(address, answer?.status);
    if (answer?.status === 200) sessions.push(String(answer.body["refresh_token"]));
    return answer?.status;
  }

  async function signIn(): Promise<void> {
    const { email } = newPerson();
    const begun = performance.now();
    const body = { identifier: email, mode: "code" };
    tried.push(email);
    const started = await ask(load.starts, `${cluster.api}/passwordless/start`, jsonPost(body));
    if (started?.status !== 202) return pause(outageMs);
    asked.push(email);
    const message = await mailTo(email);
    if (message === undefined) return;
    const { code } = carried(message.text);
    const deadline = Date.now() + patienceMs;
    for (let repeated = false; Date.now() < deadline; repeated = true) {
      const status = await confirm(email, code);
      if (status === 400 && !repeated) refusedCodes.push({ address: email, begun });
      if (status === 200 || status === 400) return;
      await pause(outageMs);
    }
  }

  const loops = Array.from({ length: people }, async () => {
    for (; running; await pause(lookMs)) await signIn();
  });
  return {
    ...load,
    ...{ asked, tried, sessions, refusedCodes },
    async stop() {
      running = false;
      await Promise.all(loops);
    },
  };
}

/** Mails by address: acknowledged requests without one, and requests that led to more than one message. */
export function mailOutcome(load: Pick<CodeLoad, "asked" | "tried">, mail: Pick<SmtpSink, "messages">) {
  const tried = new Set(load.tried);
  const identities = new Map<string, Set<string>>();
  let transmissions = 0;
  for (const { to, headers } of mail.messages()) {
    for (const address of to) {
      if (!tried.has(address)) continue;
      const known = identities.get(address) ?? new Set();
      identities.set(address, known.add(headers.get("message-id") ?? ""));
      transmissions++;
    }
  }
  let distinct = 0;
  for (const { size } of identities.values()) distinct += size;
  return {
    missing: load.asked.filter((address) => !identities.has(address)),
    /** Two messages, with two codes, for one request. */
    duplicated: load.tried.filter((address) => (identities.get(address)?.size ?? 0) > 1),
    /** The same message handed over again, which receivers recognize by its `Message-ID`. */
    repeated: transmissions - distinct,
  };
}
