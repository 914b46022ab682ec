import type {
  Config,
  DevelopmentConfig,
  MailSenderConfig,
  ProviderConfig,
  SenderConfig,
  SmsSenderConfig,
} from "../config.ts";
import { isLoopback } from "../network.ts";
import { defaultTwilio, mailbox, smtpAddress } from "../sections/senders.ts";
import { BadValue } from "../values.ts";
import type { Input } from "./input.ts";
import { unescapePem } from "./keys.ts";

/**
 * Senders of the environment win over the file's. Without any, development shows messages in its log and production has none; `none`
 * leaves the channel without a sender whatever else is set.
 */
export function composeSenders(input: Input): SenderConfig {
  const { values, sections, findings, development } = input;
  const configuredMail = mailFromEnvironment(input) ?? sections.mail;
  const configuredSms = smsFromEnvironment(input) ?? sections.sms;
  const consoleMail = development
    ? ({ kind: "console", from: values.mailFrom ?? "auth@localhost" } as const)
    : undefined;
  const consoleSms = development ? ({ kind: "console" } as const) : undefined;
  const mail = values.mailSender === "none" ? undefined : (configuredMail ?? consoleMail);
  const sms = values.smsSender === "none" ? undefined : (configuredSms ?? consoleSms);
  for (const [path, sender] of [
    ["senders.mail", mail],
    ["senders.sms", sms],
  ] as const) {
    if (sender?.kind === "console" && !development) {
      findings.refuse(
        path,
        "is the console in production",
        "codes and links would stand in the log: configure a real sender",
      );
    }
    if (sender?.kind === "webhook") checkAddress(input, path, sender.url);
    if (sender?.kind === "twilio") checkAddress(input, path, sender.baseUrl);
  }
  return { mail, sms, appName: values.appName, templates: values.templates };
}

function mailFromEnvironment(input: Input): MailSenderConfig | undefined {
  const { values, findings } = input;
  const { smtpUrl, mailWebhookUrl, mailWebhookSecret } = values;
  if (smtpUrl !== undefined && mailWebhookUrl !== undefined) {
    findings.refuse("AUTHKIT_SMTP_URL", "and AUTHKIT_MAIL_WEBHOOK_URL are both set", "keep one of the two");
  }
  requireTogether(input, "AUTHKIT_MAIL_WEBHOOK", { URL: mailWebhookUrl, SECRET: mailWebhookSecret });
  const from = checked("AUTHKIT_MAIL_FROM", values.mailFrom, mailbox, input);
  if (smtpUrl === undefined && mailWebhookUrl === undefined) return undefined;
  if (values.mailFrom === undefined)
    findings.refuse("AUTHKIT_MAIL_FROM", "is not set beside a mail sender", "set the sender's address");
  if (smtpUrl !== undefined) {
    const url = checked("AUTHKIT_SMTP_URL", smtpUrl, smtpAddress, input);
    return { kind: "smtp", url: url ?? smtpUrl, from: from ?? "", password: values.smtpPassword };
  }
  return { kind: "webhook", url: mailWebhookUrl ?? "", secret: mailWebhookSecret ?? "", from: from ?? "" };
}

function smsFromEnvironment(input: Input): SmsSenderConfig | undefined {
  const { twilioAccountSid, twilioAuthToken, twilioMessagingServiceSid, smsWebhookUrl, smsWebhookSecret } =
    input.values;
  requireTogether(input, "AUTHKIT_TWILIO", {
    ACCOUNT_SID: twilioAccountSid,
    AUTH_TOKEN: twilioAuthToken,
    MESSAGING_SERVICE_SID: twilioMessagingServiceSid,
  });
  requireTogether(input, "AUTHKIT_SMS_WEBHOOK", { URL: smsWebhookUrl, SECRET: smsWebhookSecret });
  if (twilioAccountSid !== undefined && smsWebhookUrl !== undefined) {
    input.findings.refuse(
      "AUTHKIT_TWILIO_ACCOUNT_SID",
      "and AUTHKIT_SMS_WEBHOOK_URL are both set",
      "keep one of the two",
    );
  }
  if (
    twilioAccountSid !== undefined &&
    twilioAuthToken !== undefined &&
    twilioMessagingServiceSid !== undefined
  ) {
    return {
      kind: "twilio",
      accountSid: twilioAccountSid,
      authToken: twilioAuthToken,
      messagingServiceSid: twilioMessagingServiceSid,
      baseUrl: defaultTwilio,
    };
  }
  if (smsWebhookUrl === undefined || smsWebhookSecret === undefined) return undefined;
  return { kind: "webhook", url: smsWebhookUrl, secret: smsWebhookSecret };
}

/** Refuses when some but not all of the settings are there. */
function requireTogether(
  { findings }: Input,
  prefix: string,
  settings: Readonly<Record<string, string | undefined>>,
): void {
  const missing = Object.keys(settings).filter((name) => settings[name] === undefined);
  const present = Object.keys(settings).find((name) => settings[name] !== undefined);
  if (present === undefined || missing.length === 0) return;
  const names = missing.map((name) => `${prefix}_${name}`).join(" and ");
  findings.refuse(`${prefix}_${present}`, `is set without ${names}`, `set ${names} too`);
}

function checked(
  name: string,
  value: string | undefined,
  type: typeof mailbox,
  { findings }: Input,
): string | undefined {
  if (value === undefined) return undefined;
  try {
    return type.read(value);
  } catch (error) {
    if (!(error instanceof BadValue)) throw error;
    findings.refuse(name, `the value ${error.message}`, `must be ${type.accepts}`);
    return undefined;
  }
}

/** Providers of the file, then the built-in ones the environment turns on. */
export function composeProviders(input: Input): readonly ProviderConfig[] {
  const all = [...(input.sections.providers ?? []).map(unescapeApple), ...fromEnvironment(input)];
  const seen = new Set<string>();
  for (const provider of all) {
    if (seen.has(provider.id))
      input.findings.refuse("providers", `${provider.id} is declared twice`, "remove one of the two");
    seen.add(provider.id);
    const { issuer, authorizationUrl, tokenUrl, userInfoUrl, redirectUri, options } = provider;
    for (const url of [
      issuer,
      authorizationUrl,
      tokenUrl,
      userInfoUrl,
      redirectUri,
      options.emailFallback?.url,
    ]) {
      if (url !== undefined) checkAddress(input, `providers: ${provider.id}`, url);
    }
  }
  return all;
}

function unescapeApple(provider: ProviderConfig): ProviderConfig {
  const { apple } = provider.options;
  if (apple === undefined) return provider;
  const privateKeyPem = unescapePem(apple.privateKeyPem) ?? "";
  return { ...provider, options: { ...provider.options, apple: { ...apple, privateKeyPem } } };
}

function fromEnvironment(input: Input): readonly ProviderConfig[] {
  const { values } = input;
  const found: ProviderConfig[] = [];
  for (const id of ["google", "discord", "github"] as const) {
    const clientId = values[`${id}ClientId`];
    const clientSecret = values[`${id}ClientSecret`];
    requireTogether(input, `AUTHKIT_OIDC_${id.toUpperCase()}`, {
      CLIENT_ID: clientId,
      CLIENT_SECRET: clientSecret,
    });
    if (clientId !== undefined && clientSecret !== undefined) found.push(builtIn(id, clientId, clientSecret));
  }
  const { appleClientId, appleTeamId, appleKeyId, applePrivateKey } = values;
  requireTogether(input, "AUTHKIT_OIDC_APPLE", {
    CLIENT_ID: appleClientId,
    TEAM_ID: appleTeamId,
    KEY_ID: appleKeyId,
    PRIVATE_KEY: applePrivateKey,
  });
  if (
    appleClientId !== undefined &&
    appleTeamId !== undefined &&
    appleKeyId !== undefined &&
    applePrivateKey !== undefined
  ) {
    const apple = {
      teamId: appleTeamId,
      keyId: appleKeyId,
      privateKeyPem: unescapePem(applePrivateKey) ?? "",
      ttlSeconds: 300,
    };
    found.push({ ...builtIn("apple", appleClientId, undefined), options: { apple } });
  }
  return found;
}

function builtIn(id: string, clientId: string, clientSecret: string | undefined): ProviderConfig {
  return {
    ...{
      id,
      type: id,
      kind: undefined,
      name: undefined,
      issuer: undefined,
      clientId,
      clientSecret,
      scopes: undefined,
    },
    ...{ redirectUri: undefined, authorizationUrl: undefined, tokenUrl: undefined, userInfoUrl: undefined },
    ...{ extraAuthParams: {}, options: {} },
  };
}

/** Addresses of other services are https; plain http is for loopback in development. */
function checkAddress({ findings, development }: Input, where: string, address: string): void {
  const url = new URL(address);
  if (url.protocol === "https:" || (development && isLoopback(url.hostname))) return;
  findings.refuse(
    where,
    `${JSON.stringify(address)} is not https`,
    development ? "plain http is for loopback only" : "use https",
  );
}

export function composeDevelopment({ values, findings, development }: Input): DevelopmentConfig {
  if (!development && values.staticEntitlements !== undefined) {
    findings.refuse("AUTHKIT_STATIC_ENTITLEMENTS", "is set outside development", "remove it");
  }
  return {
    mintSecret: development ? values.devMintSecret : undefined,
    endpoints: development && values.devEndpoints,
    staticEntitlements: development ? values.staticEntitlements : undefined,
  };
}

export function composeLog({ values, development }: Input): Config["log"] {
  return {
    level: values.logLevel,
    access: values.accessLog,
    pretty: values.logPretty ?? (development && process.stdout.isTTY === true),
  };
}
