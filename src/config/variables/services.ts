import { webAddress } from "../network.ts";
import { boolean, list, oneOf, path, text } from "../values.ts";
import { optional, variable } from "../variable.ts";

/** Senders, built-in identity providers, development, log. */
export const services = {
  appName: variable("AUTHKIT_APP_NAME", text, "Auth", {
    yaml: "senders.app_name",
    doc: "Name of the application in messages.",
  }),
  templates: optional("AUTHKIT_TEMPLATES_PATH", path, {
    yaml: "senders.templates",
    defaultText: "built-in texts",
    doc: "Directory of message templates that replace the built-in ones.",
  }),
  mailSender: variable("AUTHKIT_MAIL_SENDER", oneOf("auto", "none"), "auto", {
    doc: "`none`: mail is unavailable, also in development. `auto`: the configured sender, else in development the console.",
  }),
  smsSender: variable("AUTHKIT_SMS_SENDER", oneOf("auto", "none"), "auto", {
    doc: "`none`: SMS is unavailable, also in development. `auto`: the configured sender, else in development the console.",
  }),
  mailFrom: optional("AUTHKIT_MAIL_FROM", text, {
    defaultText: "required with a mail sender",
    doc: "Sender address of mail, `auth@example.com` or `Example <auth@example.com>`.",
  }),
  smtpUrl: optional("AUTHKIT_SMTP_URL", text, {
    secret: true,
    doc: "SMTP server for mail, `smtps://user@host:465` or `smtp://host:587`.",
  }),
  smtpPassword: optional("AUTHKIT_SMTP_PASSWORD", text, {
    secret: true,
    verbatim: true,
    doc: "Password for the SMTP server, when not in its URL.",
  }),
  mailWebhookUrl: optional("AUTHKIT_MAIL_WEBHOOK_URL", webAddress, {
    doc: "Hand mail to this address as signed HTTP requests instead.",
  }),
  mailWebhookSecret: optional("AUTHKIT_MAIL_WEBHOOK_SECRET", text, {
    secret: true,
    doc: "Signs requests to the mail webhook.",
  }),
  twilioAccountSid: optional("AUTHKIT_TWILIO_ACCOUNT_SID", text, { doc: "Twilio account for SMS." }),
  twilioAuthToken: optional("AUTHKIT_TWILIO_AUTH_TOKEN", text, { secret: true, doc: "Twilio auth token." }),
  twilioMessagingServiceSid: optional("AUTHKIT_TWILIO_MESSAGING_SERVICE_SID", text, {
    doc: "Twilio messaging service that sends.",
  }),
  smsWebhookUrl: optional("AUTHKIT_SMS_WEBHOOK_URL", webAddress, {
    doc: "Hand SMS to this address as signed HTTP requests instead.",
  }),
  smsWebhookSecret: optional("AUTHKIT_SMS_WEBHOOK_SECRET", text, {
    secret: true,
    doc: "Signs requests to the SMS webhook.",
  }),

  googleClientId: clientId("GOOGLE", "Google"),
  googleClientSecret: clientSecret("GOOGLE", "Google"),
  discordClientId: clientId("DISCORD", "Discord"),
  discordClientSecret: clientSecret("DISCORD", "Discord"),
  githubClientId: clientId("GITHUB", "GitHub"),
  githubClientSecret: clientSecret("GITHUB", "GitHub"),
  appleClientId: clientId("APPLE", "Apple"),
  appleTeamId: optional("AUTHKIT_OIDC_APPLE_TEAM_ID", text, { doc: "Apple team id." }),
  appleKeyId: optional("AUTHKIT_OIDC_APPLE_KEY_ID", text, { doc: "Id of the Apple sign-in key." }),
  applePrivateKey: optional("AUTHKIT_OIDC_APPLE_PRIVATE_KEY", text, {
    secret: true,
    doc: "Apple sign-in key as PEM (P-256).",
  }),

  bootstrapPath: optional("AUTHKIT_BOOTSTRAP_PATH", path, {
    origin: "later",
    doc: "Manifest applied once to an empty database at start.",
  }),
  devMintSecret: optional("AUTHKIT_DEV_MINT_SECRET", text, {
    origin: "later",
    secret: true,
    doc: "Mounts `POST <prefix>/dev/mint`. Development class only; ignored elsewhere.",
  }),
  devEndpoints: variable("AUTHKIT_DEV_ENDPOINTS", boolean, true, {
    doc: "Mount `<prefix>/dev/whoami` and `/dev/messages`. Development class only; ignored elsewhere.",
  }),
  staticEntitlements: optional("AUTHKIT_STATIC_ENTITLEMENTS", list(text), {
    yaml: "development.static_entitlements",
    doc: "Names put into the `entitlements` claim of every user. Development class only.",
  }),
  logLevel: variable("AUTHKIT_LOG_LEVEL", oneOf("debug", "info", "warn", "error"), "info", {
    doc: "Lowest level logged.",
  }),
  accessLog: variable("AUTHKIT_ACCESS_LOG", boolean, true, { doc: "Log one line for each request." }),
  logPretty: optional("AUTHKIT_LOG_PRETTY", boolean, {
    defaultText: "`true` in development at a terminal",
    doc: "Log for people instead of JSON lines.",
  }),
  tracing: variable("AUTHKIT_TRACING", boolean, false, {
    doc: "Propagate and export traces (OpenTelemetry; its own `OTEL_*` variables apply).",
  }),
};

function clientId(provider: string, label: string) {
  return optional(`AUTHKIT_OIDC_${provider}_CLIENT_ID`, text, {
    doc: `Client id at ${label}; turns the provider on.`,
  });
}

function clientSecret(provider: string, label: string) {
  return optional(`AUTHKIT_OIDC_${provider}_CLIENT_SECRET`, text, {
    secret: true,
    doc: `Client secret at ${label}.`,
  });
}
