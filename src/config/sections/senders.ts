import type { MailSenderConfig, SmsSenderConfig } from "../config.ts";
import { webAddress } from "../network.ts";
import {
  byKind,
  leaf,
  maybe,
  object,
  type Position,
  refuse,
  required,
  type Shape,
  secretField,
} from "../shape.ts";
import { BadValue, text, textLike } from "../values.ts";

const smtpAddress = textLike("URL", "`smtp://host:587` or `smtps://user@host:465`", (value) => {
  if (!/^smtps?:\/\//i.test(value) || !URL.canParse(value) || new URL(value).hostname === "")
    throw new BadValue("is no SMTP URL");
  return value;
});

/** An address, or a name and an address in angle brackets; no line breaks. */
export const mailbox = textLike("mailbox", "`auth@example.com` or `Example <auth@example.com>`", (value) => {
  if (!/^(?:[^<>\r\n]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/.test(value))
    throw new BadValue("is no mail address");
  return value;
});

export { smtpAddress };

const defaultTwilio = "https://api.twilio.com";

const mailKinds = byKind({
  smtp: object({
    url: required(leaf(smtpAddress, { secret: true }), "SMTP server."),
    password: secretField(text, "Password, when not in the URL."),
    from: required(leaf(mailbox), "Sender address."),
  }),
  webhook: object({
    url: required(leaf(webAddress), "Receives each mail as a signed request."),
    secret: secretField(text, "Signs the requests."),
    from: required(leaf(mailbox), "Sender address."),
  }),
  console: object({ from: maybe(leaf(mailbox), "Sender address.") }),
});

/** `senders.mail`. */
export const mailSender: Shape<MailSenderConfig> = {
  schema: mailKinds.schema,
  read(tree, at) {
    const read = mailKinds.read(tree, at);
    if (read === undefined) return undefined;
    if (read.kind === "smtp")
      return { kind: "smtp", url: read.value.url, from: read.value.from, password: read.value.password };
    if (read.kind === "console") return { kind: "console", from: read.value.from ?? "auth@localhost" };
    const secret = demanded(read.value.secret, "secret", at);
    return secret === undefined
      ? undefined
      : { kind: "webhook", url: read.value.url, secret, from: read.value.from };
  },
};

const smsKinds = byKind({
  twilio: object({
    account_sid: required(leaf(text), "Twilio account."),
    auth_token: secretField(text, "Twilio auth token."),
    messaging_service_sid: required(leaf(text), "Messaging service that sends."),
    base_url: maybe(leaf(webAddress), `Default ${defaultTwilio}.`),
  }),
  webhook: object({
    url: required(leaf(webAddress), "Receives each message as a signed request."),
    secret: secretField(text, "Signs the requests."),
  }),
  console: object({}),
});

/** `senders.sms`. */
export const smsSender: Shape<SmsSenderConfig> = {
  schema: smsKinds.schema,
  read(tree, at) {
    const read = smsKinds.read(tree, at);
    if (read === undefined) return undefined;
    if (read.kind === "console") return { kind: "console" };
    if (read.kind === "webhook") {
      const secret = demanded(read.value.secret, "secret", at);
      return secret === undefined ? undefined : { kind: "webhook", url: read.value.url, secret };
    }
    const authToken = demanded(read.value.auth_token, "auth_token", at);
    if (authToken === undefined) return undefined;
    return {
      kind: "twilio",
      accountSid: read.value.account_sid,
      authToken,
      messagingServiceSid: read.value.messaging_service_sid,
      baseUrl: (read.value.base_url ?? defaultTwilio).replace(/\/+$/, ""),
    };
  },
};

function demanded(value: string | undefined, key: string, at: Position): string | undefined {
  return value ?? refuse(at, `lacks ${key}`, `give ${key} or ${key}_file`);
}

export { defaultTwilio };
