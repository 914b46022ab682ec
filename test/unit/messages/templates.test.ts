import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  createTemplates,
  type Rendering,
  type Templates,
} from "../../../src/core/messages/templates/index.ts";
import { type MessageKind, messageKinds } from "../../../src/core/messages/types.ts";
import { type ConfigOverrides, testConfig } from "../../support/config.ts";

function templates(overrides: ConfigOverrides = {}): Templates {
  return createTemplates(testConfig({}, overrides));
}

const acme = templates({ senders: { appName: "Acme" } });
const link = "https://app.example.com/verify?channel=email&token=abc";
const both: Rendering = {
  kind: "signup",
  to: "ana@example.com",
  language: "en",
  username: "ana",
  code: "123456",
  url: link,
  validSeconds: 3_600,
};

describe("mail", () => {
  test("the whole text with code and link", () => {
    expect(acme.mail(both)).toMatchObject({
      subject: "Verify your Acme account",
      text: [
        "Hello ana,",
        "",
        "Welcome! Please confirm your address to finish creating your Acme account.",
        "",
        "Your code: 123456",
        "",
        "Open this link:",
        link,
        "",
        "Valid for 1 hour.",
        "",
        "If you did not ask for this, you can ignore this message.",
        "",
      ].join("\n"),
      categories: ["auth", "email-verification"],
    });
  });

  test("without code, link or name their lines are gone", () => {
    const { text } = acme.mail({ ...both, username: undefined, url: undefined });
    expect(text).not.toMatch(/Hello|link/);
    expect(text).toContain("Your code: 123456");
    expect(acme.mail({ ...both, code: "" }).text).not.toContain("code");
  });

  test("values are escaped in HTML alone", () => {
    const evil = `<img src=x onerror="alert('1')">&`;
    const mail = acme.mail({ ...both, username: evil, url: `${link}"><script>` });
    expect(mail.html).not.toMatch(/<img|<script/);
    expect(mail.html).toContain("&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;");
    expect(mail.html).toContain('href="https://app.example.com/verify?channel=email&amp;token=abc');
    expect(mail.text).toContain(`Hello ${evil},`);
  });

  test("values are never read as templates", () => {
    expect(acme.mail({ ...both, username: "{{code}}" }).text).toContain("Hello {{code}},");
  });

  test.each([
    [60, "1 minute"],
    [899, "14 minutes"],
    [900, "15 minutes"],
    [3_600, "1 hour"],
    [5_400, "90 minutes"],
    [86_400, "24 hours"],
    [604_800, "7 days"],
    [1, "1 minute"],
  ])("%i seconds read as %s", (validSeconds, words) => {
    expect(acme.mail({ ...both, validSeconds }).text).toContain(`Valid for ${words}.`);
  });
});

describe("SMS", () => {
  const sms = (change: Partial<Rendering>): string => acme.sms({ ...both, to: "+12025550123", ...change });

  test.each<[Partial<Rendering>, string]>([
    [{ url: undefined }, "Acme verification code: 123456"],
    [{}, `Acme verification code: 123456 Verify: ${link}`],
    [{ code: undefined }, `Acme verification code: ${link}`],
    [{ kind: "contact_change", url: undefined }, "Acme code to confirm your new number: 123456"],
    [{ kind: "password_reset", code: undefined }, `Acme password reset: ${link}`],
    [{ kind: "login_code", url: undefined }, "Acme login code: 123456"],
    [{ kind: "login_code", url: undefined, language: "es" }, "Acme codigo de acceso: 123456"],
    [
      { kind: "notice_password_changed", url: undefined, code: undefined },
      "Acme: the password of your account was changed.",
    ],
  ])("%j", (change, text) => {
    expect(sms(change)).toBe(text);
  });
});

const subjects: Readonly<Record<MessageKind, readonly [en: string, es: string, de: string]>> = {
  signup: ["Verify your Acme account", "Verifica tu cuenta de Acme", "Bestätige dein Acme-Konto"],
  contact_verify: ["Verify your Acme account", "Verifica tu cuenta de Acme", "Bestätige dein Acme-Konto"],
  contact_change: ["Verify your Acme account", "Verifica tu cuenta de Acme", "Bestätige dein Acme-Konto"],
  two_factor_setup: [
    "Your Acme set-up code",
    "Tu codigo de configuracion de Acme",
    "Dein Einrichtungscode für Acme",
  ],
  passwordless_login: ["Verify your Acme account", "Verifica tu cuenta de Acme", "Bestätige dein Acme-Konto"],
  password_reset: [
    "Reset your Acme password",
    "Restablece tu clave de Acme",
    "Setze dein Acme-Passwort zurück",
  ],
  login_code: ["Your Acme login code", "Tu codigo de acceso de Acme", "Dein Anmeldecode für Acme"],
  welcome: ["Welcome to Acme", "Bienvenida a Acme", "Willkommen bei Acme"],
  account_registration_invite: [
    "You are invited to Acme",
    "Tienes una invitacion a Acme",
    "Du bist zu Acme eingeladen",
  ],
  notice_contact_changed: [
    "Your Acme contact details were changed",
    "Los datos de contacto de tu cuenta de Acme han cambiado",
    "Die Kontaktdaten deines Acme-Kontos wurden geändert",
  ],
  notice_password_changed: [
    "Your Acme password was changed",
    "La clave de tu cuenta de Acme ha cambiado",
    "Dein Acme-Passwort wurde geändert",
  ],
  notice_factor_added: [
    "A sign-in factor was added to your Acme account",
    "Nuevo factor de acceso en tu cuenta de Acme",
    "Neuer Anmeldefaktor an deinem Acme-Konto",
  ],
  notice_factor_removed: [
    "A sign-in factor was removed from your Acme account",
    "Factor de acceso retirado de tu cuenta de Acme",
    "Anmeldefaktor von deinem Acme-Konto entfernt",
  ],
  notice_factor_changed: [
    "The sign-in factors of your Acme account were changed",
    "Se han cambiado los factores de acceso de tu cuenta de Acme",
    "Die Anmeldefaktoren deines Acme-Kontos wurden geändert",
  ],
  notice_backup_codes_renewed: [
    "New backup codes for your Acme account",
    "Nuevos codigos de respaldo de tu cuenta de Acme",
    "Neue Ersatzcodes für dein Acme-Konto",
  ],
  notice_backup_code_used: [
    "A backup code of your Acme account was used",
    "Se ha usado un codigo de respaldo de tu cuenta de Acme",
    "Ein Ersatzcode deines Acme-Kontos wurde benutzt",
  ],
  notice_backup_codes_low: [
    "The backup codes of your Acme account are running out",
    "Quedan pocos codigos de respaldo de tu cuenta de Acme",
    "Die Ersatzcodes deines Acme-Kontos gehen zur Neige",
  ],
  notice_second_factor_locked: [
    "Wrong codes for your Acme account",
    "Codigos incorrectos en tu cuenta de Acme",
    "Falsche Codes für dein Acme-Konto",
  ],
  notice_passkey_copied: [
    "A passkey of your Acme account may have been copied",
    "Es posible que se haya copiado una llave de acceso de tu cuenta de Acme",
    "Ein Passkey deines Acme-Kontos wurde womöglich kopiert",
  ],
  notice_provider_linked: [
    "A sign-in provider was linked to your Acme account",
    "Proveedor de acceso vinculado a tu cuenta de Acme",
    "Anmeldedienst mit deinem Acme-Konto verknüpft",
  ],
  notice_provider_unlinked: [
    "A sign-in provider was removed from your Acme account",
    "Proveedor de acceso desvinculado de tu cuenta de Acme",
    "Anmeldedienst von deinem Acme-Konto getrennt",
  ],
  notice_account_deleted: [
    "Your Acme account was deleted",
    "Tu cuenta de Acme ha sido eliminada",
    "Dein Acme-Konto wurde gelöscht",
  ],
  notice_new_device: [
    "New sign-in to your Acme account",
    "Nuevo acceso a tu cuenta de Acme",
    "Neue Anmeldung an deinem Acme-Konto",
  ],
  notice_registration_attempt: [
    "You already have an Acme account",
    "Ya tienes una cuenta de Acme",
    "Du hast schon ein Acme-Konto",
  ],
};
const languages = ["en", "es", "de"] as const;

describe.each(messageKinds)("%s", (kind) => {
  test.each(languages.map((language, i) => [language, subjects[kind][i] ?? ""] as const))(
    "in %s",
    (language, subject) => {
      const notice = kind.startsWith("notice_") || kind === "welcome";
      const message = notice ? { ...both, code: undefined, url: undefined } : both;
      const mail = acme.mail({ ...message, kind, language });
      const sms = acme.sms({ ...message, kind, language });
      expect(mail.subject).toBe(subject);
      for (const body of [mail.text, mail.html, sms]) {
        expect(body).toContain("Acme");
        expect(body).not.toMatch(/\{\{|undefined/);
        expect(body.includes("123456")).toBe(!notice);
      }
      expect(mail.text.includes(link)).toBe(!notice);
      expect(mail.categories[0]).toBe("auth");
      if (language === "es") expect(`${mail.subject}${mail.text}${sms}`).toMatch(/^[\x20-\x7e\n]*$/);
    },
  );
});

describe("languages", () => {
  test("an unknown language falls to the configured default, and then to English", () => {
    expect(acme.mail({ ...both, language: "fr" }).subject).toBe("Verify your Acme account");
    const spanish = templates({ languages: { configured: ["es"], supported: ["es"], default: "es" } });
    expect(spanish.mail({ ...both, language: "fr" }).subject).toBe("Verifica tu cuenta de Auth");
    const french = templates({ languages: { configured: ["fr"], supported: ["fr"], default: "fr" } });
    expect(french.mail({ ...both, language: "" }).subject).toBe("Verify your Auth account");
  });
});

describe("templates of the operator", () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "authkit-templates-"));
    const files: Readonly<Record<string, string>> = {
      "signup.en.subject": "Join {{app}}\n",
      "login_code.en.txt": "Hi{{#username}} {{username}}{{/username}}!\n\n{{code}} <- code\n",
      "login_code.fr.txt": "Votre code : {{code}}, valable {{duration}}\n",
      "login_code.fr.subject": "Votre code {{app}}",
      "login_code.fr.sms": "{{app}} : {{code}}\n",
      "welcome.en.html": "<h1>{{app}} & {{username}}</h1>",
      "README.md": "{{whatever}}",
    };
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text);
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  const own = (): Templates => templates({ senders: { templates: directory } });
  const code: Rendering = { ...both, kind: "login_code", url: undefined, validSeconds: 900 };

  test("each part is replaced by itself", () => {
    const mail = own().mail(both);
    expect(mail.subject).toBe("Join Auth");
    expect(mail.text).toContain("Your code: 123456");
    const welcome = own().mail({ ...both, kind: "welcome", username: "a<b" });
    expect(welcome.html).toBe("<h1>Auth & a&lt;b</h1>");
    expect(welcome.subject).toBe("Welcome to Auth");
  });

  test("a text without HTML makes the HTML too", () => {
    const mail = own().mail(code);
    expect(mail.text).toBe("Hi ana!\n\n123456 <- code\n");
    expect(mail.html).toContain("<p>Hi ana!</p>\n<p>123456 &lt;- code</p>");
  });

  test("languages that are not built in", () => {
    const mail = own().mail({ ...code, language: "fr" });
    expect(mail).toMatchObject({
      subject: "Votre code Auth",
      text: "Votre code : 123456, valable 15 minutes\n",
    });
    expect(own().sms({ ...code, language: "fr" })).toBe("Auth : 123456");
    expect(own().mail({ ...both, language: "fr" }).subject).toBe("Join Auth");
  });

  test.each([
    ["sign_up.en.txt", "hello", 'there is no message "sign_up"'],
    ["signup.en.txt", "{{cod}}", "{{cod}} is not known"],
    ["signup.en.txt", "{{#code}}x", "{{#code}} is not closed"],
    ["signup.en.txt", "x{{/code}}", "{{/code}} closes nothing"],
  ])("%s with %j is refused by name", async (name, text, words) => {
    const broken = await mkdtemp(join(tmpdir(), "authkit-templates-"));
    await writeFile(join(broken, name), text);
    expect(() => templates({ senders: { templates: broken } })).toThrow(`${join(broken, name)}: ${words}`);
    await rm(broken, { recursive: true });
  });
});
