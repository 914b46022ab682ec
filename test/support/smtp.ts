import { setTimeout as sleep } from "node:timers/promises";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { type ParsedMail, parseMail } from "./mime.ts";

export interface ReceivedMail extends ParsedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** Whether it came over TLS. */
  readonly encrypted: boolean;
}

/** A mail server on loopback that keeps what it is sent. */
export interface SmtpSink {
  /** For `AUTHKIT_SMTP_URL`. */
  readonly url: string;
  readonly port: number;
  messages(): readonly ReceivedMail[];
  /** The first mail to this address that has not been waited for yet. */
  waitFor(to: string, timeoutMs?: number): Promise<ReceivedMail>;
  /** Answers the next `count` mails with this status instead of taking them. */
  fail(status: number, count: number): void;
  /** How many mails were answered with a failure. */
  refused(): number;
  /** Takes the bytes of the next `count` mails and never answers, as a server that hangs does. */
  hold(count: number): void;
  /** How many mails were left without an answer. */
  held(): number;
  /** Connections opened so far. */
  connections(): number;
  stop(): Promise<void>;
}

export interface SmtpSinkOptions {
  readonly port?: number;
  /** Offers STARTTLS, with a certificate nobody trusts. */
  readonly tls?: boolean;
  /** Demands these credentials. */
  readonly auth?: { readonly user: string; readonly pass: string };
}

function listen(server: SMTPServer, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
}

export async function startSmtpSink(options: SmtpSinkOptions = {}): Promise<SmtpSink> {
  const received: ReceivedMail[] = [];
  const seen = new Set<ReceivedMail>();
  let failing = { status: 0, count: 0 };
  let refused = 0;
  let holding = 0;
  let held = 0;
  let connections = 0;
  const { auth } = options;
  const disabled: string[] = [];
  if (options.tls !== true) disabled.push("STARTTLS");
  if (auth === undefined) disabled.push("AUTH");
  const settings: SMTPServerOptions = {
    authOptional: auth === undefined,
    allowInsecureAuth: true,
    disabledCommands: disabled,
    disableReverseLookup: true,
    closeTimeout: 200,
    onConnect: (_session, done) => {
      connections++;
      done();
    },
    onAuth: ({ username, password }, _session, done) => {
      if (username === auth?.user && password === auth?.pass) done(null, { user: username });
      else done(Object.assign(new Error("bad credentials"), { responseCode: 535 }));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        if (holding > 0) {
          holding--;
          held++;
          return;
        }
        if (failing.count > 0) {
          failing = { ...failing, count: failing.count - 1 };
          refused++;
          done(
            Object.assign(new Error(`not now <${session.envelope.rcptTo[0]?.address}>`), {
              responseCode: failing.status,
            }),
          );
          return;
        }
        const { mailFrom, rcptTo } = session.envelope;
        received.push({
          ...parseMail(Buffer.concat(chunks).toString("latin1")),
          from: mailFrom === false ? "" : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          encrypted: session.secure,
        });
        done();
      });
    },
  };
  const server = new SMTPServer(settings);
  // Clients that refuse the certificate break connections off.
  server.on("error", () => undefined);
  const port = await listen(server, options.port ?? 0);
  return {
    url: `smtp://127.0.0.1:${port}`,
    port,
    messages: () => received,
    async waitFor(to, timeoutMs = 15_000) {
      const deadline = Date.now() + timeoutMs;
      for (;;) {
        const mail = received.find((one) => one.to.includes(to) && !seen.has(one));
        if (mail !== undefined) {
          seen.add(mail);
          return mail;
        }
        if (Date.now() > deadline) throw new Error(`no mail to ${to} in time`);
        await sleep(25);
      }
    },
    fail(status, count) {
      failing = { status, count };
    },
    refused: () => refused,
    hold(count) {
      holding = count;
    },
    held: () => held,
    connections: () => connections,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** What a message carries, whatever it came by. */
export interface Carried {
  readonly subject: string;
  readonly text: string;
  /** Six digits; empty when there is none. */
  readonly code: string;
  /** The link; empty when there is none. */
  readonly link: string;
  /** The link's `token`, `code` or `account_invite_token`; empty when there is none. */
  readonly token: string;
}

/** Code, link and token of a text. */
export function carried(text: string, subject = ""): Carried {
  const link = /https?:\/\/\S+/.exec(text)?.[0] ?? "";
  const query = link === "" ? new URLSearchParams() : new URL(link).searchParams;
  const token = query.get("token") ?? query.get("code") ?? query.get("account_invite_token") ?? "";
  const code = /(?<![\d\w])\d{6}(?![\d\w])/.exec(text.replace(/https?:\/\/\S+/g, ""))?.[0] ?? "";
  return { subject, text, code, link, token };
}

/** Waits for the next mail to an address and takes out code, link and token. */
export async function waitForMessage(
  sink: Pick<SmtpSink, "waitFor">,
  to: string,
  timeoutMs?: number,
): Promise<Carried> {
  const mail = await sink.waitFor(to, timeoutMs);
  return carried(mail.text, mail.subject);
}
