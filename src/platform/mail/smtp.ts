import { createTransport } from "nodemailer";
import type { MailSenderConfig } from "../../config/config.ts";
import { DeliveryRefused } from "../delivery.ts";
import type { MailSender } from "./port.ts";
import { smtpServer } from "./smtp-server.ts";

const connectTimeoutMs = 10_000;
const connections = 5;

/**
 * SMTP (RFC 5321) over pooled connections. `smtps://` encrypts from the first byte, `smtp://` by STARTTLS (RFC 3207), see
 * {@link smtpServer} for when that is demanded. TLS 1.2 is the least.
 */
export function createSmtpSender(
  config: MailSenderConfig & { readonly kind: "smtp" },
  options: { readonly timeoutMs: number; readonly production: boolean },
): MailSender {
  const server = smtpServer(config.url, config.password, options.production);
  const transport = createTransport({
    ...server,
    pool: true,
    maxConnections: connections,
    maxMessages: 200,
    connectionTimeout: Math.min(connectTimeoutMs, options.timeoutMs),
    greetingTimeout: Math.min(connectTimeoutMs, options.timeoutMs),
    socketTimeout: options.timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const from = config.from;
  const domain = /@([^@>\s]+)>?$/.exec(from)?.[1] ?? "localhost";
  return {
    name: "smtp",
    async send(mail, signal) {
      if (signal?.aborted === true) throw new Error(givenUp);
      const sending = transport.sendMail({
        from,
        // As an object, so that nothing in it can be taken for a list or a name.
        to: { name: "", address: mail.to },
        subject: mail.subject,
        text: mail.text,
        html: mail.html,
        // Receivers recognize a repetition by it.
        messageId: `<${mail.idempotencyKey}@${domain}>`,
        headers: {
          "Auto-Submitted": "auto-generated",
          "X-Auto-Response-Suppress": "All",
          ...(mail.categories.length === 0 ? {} : { "X-Category": mail.categories.join(", ") }),
        },
      });
      // A mail under way cannot be called back; whoever gives up only stops waiting.
      const outcome = sending.catch((error: unknown) => {
        throw smtpError(error);
      });
      await (signal === undefined ? outcome : unlessAborted(outcome, signal));
    },
    async close() {
      transport.close();
    },
  };
}

const givenUp = "sending was given up";

async function unlessAborted(outcome: Promise<unknown>, signal: AbortSignal): Promise<void> {
  let end: () => void = () => undefined;
  const aborted = new Promise<never>((_, reject) => {
    end = () => reject(new Error(givenUp));
    signal.addEventListener("abort", end, { once: true });
  });
  try {
    await Promise.race([outcome, aborted]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

/** Servers repeat addresses in their answers: what is passed on is the code and the stage alone. */
function smtpError(error: unknown): Error {
  const member = (name: string): unknown => (error instanceof Error ? Reflect.get(error, name) : undefined);
  const status = member("responseCode");
  const code = member("code");
  const command = member("command");
  const stage = typeof command === "string" ? ` at ${command}` : "";
  if (typeof status === "number") {
    const text = `the mail server answered ${status}${stage}`;
    // Refused credentials are the operator's to repair, the mail can wait for it.
    return status >= 500 && code !== "EAUTH" ? new DeliveryRefused(text) : new Error(text);
  }
  if (code === "EENVELOPE") return new DeliveryRefused("the address cannot receive mail");
  const system = error instanceof Error ? /\bE[A-Z]{4,}\b/.exec(error.message)?.[0] : undefined;
  const reason = system ?? (typeof code === "string" ? code : "unknown");
  return new Error(`the mail server could not be used (${reason}${stage})`);
}
