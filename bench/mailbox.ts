import { SMTPServer } from "smtp-server";

/** A mail server on loopback that reads the link token out of each mail and keeps nothing else. */
export interface Mailbox {
  /** For `AUTHKIT_SMTP_URL`. */
  readonly url: string;
  /** Token of the next mail to an address; rejects when none comes in time. To be asked for before the mail is sent for. */
  token(address: string, timeoutMs: number): Promise<string>;
  stop(): Promise<void>;
}

/** `token=` of a link in a quoted-printable text: the equals sign is written `=3D`, and lines may break anywhere. */
export function linkToken(mail: string): string | undefined {
  return /[?&;]token=3D([\w-]+)/.exec(mail.replaceAll("=\r\n", ""))?.[1];
}

/** Starts it on a free port. */
export async function startMailbox(): Promise<Mailbox> {
  const waiting = new Map<string, (token: string) => void>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ["AUTH", "STARTTLS"],
    disableReverseLookup: true,
    closeTimeout: 200,
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const token = linkToken(Buffer.concat(chunks).toString("latin1"));
        const address = session.envelope.rcptTo[0]?.address;
        if (token !== undefined && address !== undefined) waiting.get(address)?.(token);
        done();
      });
    },
  });
  // Connections that end while it is stopped.
  server.on("error", () => undefined);
  const port = await new Promise<number>((resolve, reject) => {
    server.server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.server.address();
      resolve(typeof address === "object" && address !== null ? address.port : 0);
    });
  });
  return {
    url: `smtp://127.0.0.1:${port}`,
    token: (address, timeoutMs) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(() => {
          waiting.delete(address);
          reject(new Error(`no mail to ${address} in time`));
        }, timeoutMs);
        waiting.set(address, (token) => {
          clearTimeout(timer);
          waiting.delete(address);
          resolve(token);
        });
      }),
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
