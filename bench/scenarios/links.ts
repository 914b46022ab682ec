import pg from "pg";
import { Pool } from "undici";
import { percentile } from "../arrivals.ts";
import { accounts, emailOf, type Measured, type NextRequest, post, type Scenario } from "../bench.ts";
import { type Mailbox, startMailbox } from "../mailbox.ts";
import { cpuSeconds } from "../processes.ts";
import { seed } from "../seed.ts";
import { issuer } from "../services.ts";

/** People who are at it at once. */
const people = 16;
/** Generous, so that a slow machine measures slow flows rather than none. */
const mailTimeoutMs = 10_000;

/** What one pass through a flow took; `mail` from the request to the mail's arrival. */
interface Flow {
  readonly took: number;
  readonly mail: number;
  readonly status: number;
}

async function send(pool: Pool, { method, path, headers, body }: NextRequest): Promise<number> {
  const reply = await pool.request({ method, path, headers: headers ?? null, body: body ?? null });
  await reply.body.dump();
  return reply.statusCode;
}

/** Asks for a sign-in link, reads it in the mail, and signs in with it. */
async function signInByLink(pool: Pool, mailbox: Mailbox, email: string): Promise<Flow> {
  const began = performance.now();
  let mail = 0;
  try {
    const arrival = mailbox.token(email, mailTimeoutMs);
    // Where the request fails nobody waits for the mail any more.
    arrival.catch(() => undefined);
    const asked = await send(pool, post("/api/v1/passwordless/start", { email, mode: "link" }));
    if (asked !== 202) return { took: 0, mail, status: asked };
    const token = await arrival;
    mail = performance.now() - began;
    const status = await send(pool, post("/api/v1/passwordless/confirm", { token }));
    return { took: performance.now() - began, mail, status };
  } catch {
    return { took: 0, mail, status: 0 };
  }
}

/** A database beside the others': the cluster that serves them, without a mail server, would take the messages out of the queue. */
async function ownDatabase(url: string): Promise<string> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("CREATE DATABASE links");
  await client.end();
  return Object.assign(new URL(url), { pathname: "/links" }).href;
}

/** Everybody passes through flow after flow until the time is over. */
async function pass(server: number, duration: number, flow: () => Promise<Flow>) {
  const flows: Flow[] = [];
  const cpuBefore = cpuSeconds(server);
  const started = performance.now();
  await Promise.all(
    Array.from({ length: people }, async () => {
      while (performance.now() - started < duration * 1_000) flows.push(await flow());
    }),
  );
  const seconds = (performance.now() - started) / 1_000;
  return { flows, seconds, cpu: cpuSeconds(server) - cpuBefore };
}

/**
 * Flows that a link in a mail belongs to, whole: the request, the message through the queue and over SMTP, and the sign-in with its token.
 * A budget or a raw limit there is none: most of the time is the way of the message, through two commits and a mail server.
 */
export const links: Scenario = {
  name: "links",
  async run(bench) {
    const { duration, users } = bench.options;
    const mailbox = await startMailbox();
    const databaseUrl = await ownDatabase(bench.databaseUrl);
    const cluster = await bench.startCluster({
      databaseUrl,
      env: {
        AUTHKIT_PASSWORDLESS: "true",
        AUTHKIT_SMTP_URL: mailbox.url,
        AUTHKIT_MAIL_FROM: "bench@example.com",
      },
    });
    const pool = new Pool(cluster.url, { connections: people, pipelining: 1 });
    try {
      await seed({ databaseUrl, issuer, from: 0, to: users, argon2: bench.argon2 });
      const next = accounts(users, 1);
      // The first ones load what sends mail.
      await Promise.all(Array.from({ length: people }, () => signInByLink(pool, mailbox, emailOf(next()))));
      const [{ flows, seconds, cpu }, observed] = await bench.observe(
        () => pass(cluster.pid, duration, () => signInByLink(pool, mailbox, emailOf(next()))),
        cluster,
      );
      const mails = flows.map(({ mail }) => mail).filter((mail) => mail > 0);
      return [
        {
          path: "sign-in by a link in a mail, whole",
          ours: measured(flows, seconds, cpu),
          observed,
          note: `${people} people; the mail was there after ${percentile(mails, 0.5).toFixed(0)} ms (p50)`,
        },
      ];
    } finally {
      await pool.close();
      await cluster.stop();
      await mailbox.stop();
    }
  },
};

function measured(flows: readonly Flow[], seconds: number, cpu: number): Measured {
  const done = flows.filter(({ status }) => status === 200).map(({ took }) => took);
  const errors = flows.filter(({ status }) => status === 0).length;
  return {
    answers: flows.length - errors,
    rate: done.length / seconds,
    p50: percentile(done, 0.5),
    p99: percentile(done, 0.99),
    errors,
    refused: flows.length - done.length - errors,
    cpuMicros: flows.length === 0 ? 0 : (cpu * 1e6) / flows.length,
  };
}
