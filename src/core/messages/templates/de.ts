import type { Texts } from "./wording.ts";

const ignore = "Falls du das nicht angefordert hast, kannst du diese Nachricht ignorieren.";
const act = "Falls du das nicht warst, setze dein Passwort zurück und wende dich sofort an den Support.";

export const german: Texts = {
  greeting: "Hallo {{username}},",
  code: "Dein Code:",
  link: "Öffne diesen Link:",
  smsLink: "Bestätigen:",
  validity: "Gültig für {{duration}}.",
  kinds: {
    signup: {
      subject: "Bestätige dein {{app}}-Konto",
      intro: "Willkommen! Bestätige deine Adresse, um dein {{app}}-Konto fertig anzulegen.",
      sms: "Bestätigungscode",
      closing: ignore,
    },
    contact_verify: {
      subject: "Bestätige dein {{app}}-Konto",
      intro: "Bestätige, dass diese Adresse zu deinem {{app}}-Konto gehört.",
      sms: "Bestätigungscode",
      closing: ignore,
    },
    contact_change: {
      subject: "Bestätige dein {{app}}-Konto",
      intro: "Bestätige diese Adresse als die neue deines {{app}}-Kontos.",
      sms: "Code zum Bestätigen deiner neuen Nummer",
      closing: ignore,
    },
    two_factor_setup: {
      subject: "Dein Einrichtungscode für {{app}}",
      intro: "Mit diesem Code schaltest du die Zwei-Faktor-Anmeldung deines {{app}}-Kontos ein.",
      sms: "Code zum Einrichten der Zwei-Faktor-Anmeldung",
      closing: ignore,
    },
    passwordless_login: {
      subject: "Bestätige dein {{app}}-Konto",
      intro: "Damit meldest du dich bei {{app}} an.",
      sms: "Anmeldecode",
      closing: ignore,
    },
    password_reset: {
      subject: "Setze dein {{app}}-Passwort zurück",
      intro: "Jemand möchte das Passwort deines {{app}}-Kontos zurücksetzen.",
      sms: "Passwort zurücksetzen",
      closing: ignore,
    },
    login_code: {
      subject: "Dein Anmeldecode für {{app}}",
      intro: "Mit diesem Code schließt du die Anmeldung bei {{app}} ab.",
      sms: "Anmeldecode",
      closing: "Gib diesen Code niemandem. Falls du dich nicht gerade anmeldest, ändere dein Passwort.",
    },
    welcome: {
      subject: "Willkommen bei {{app}}",
      intro: "Willkommen bei {{app}}, dein Konto ist bereit.",
      sms: "willkommen, dein Konto ist bereit.",
    },
    account_registration_invite: {
      subject: "Du bist zu {{app}} eingeladen",
      intro: "Du bist eingeladen, ein Konto bei {{app}} anzulegen.",
      sms: "Einladung",
      closing: "Falls du das nicht erwartet hast, kannst du diese Nachricht ignorieren.",
    },
    notice_contact_changed: {
      subject: "Die Kontaktdaten deines {{app}}-Kontos wurden geändert",
      intro:
        "Die Kontaktdaten deines {{app}}-Kontos wurden geändert; Nachrichten gehen nicht mehr an diese Adresse.",
      sms: "die Kontaktdaten deines Kontos wurden geändert.",
      closing: act,
    },
    notice_password_changed: {
      subject: "Dein {{app}}-Passwort wurde geändert",
      intro: "Das Passwort deines {{app}}-Kontos wurde geändert.",
      sms: "das Passwort deines Kontos wurde geändert.",
      closing: act,
    },
    notice_factor_added: {
      subject: "Neuer Anmeldefaktor an deinem {{app}}-Konto",
      intro: "Deinem {{app}}-Konto wurde ein Passkey oder ein zweiter Faktor hinzugefügt.",
      sms: "deinem Konto wurde ein Anmeldefaktor hinzugefügt.",
      closing: act,
    },
    notice_factor_removed: {
      subject: "Anmeldefaktor von deinem {{app}}-Konto entfernt",
      intro: "Von deinem {{app}}-Konto wurde ein Passkey oder ein zweiter Faktor entfernt.",
      sms: "von deinem Konto wurde ein Anmeldefaktor entfernt.",
      closing: act,
    },
    notice_factor_changed: {
      subject: "Die Anmeldefaktoren deines {{app}}-Kontos wurden geändert",
      intro: "Ab jetzt wird zuerst nach einem anderen zweiten Faktor deines {{app}}-Kontos gefragt.",
      sms: "ab jetzt wird zuerst nach einem anderen zweiten Faktor deines Kontos gefragt.",
      closing: act,
    },
    notice_backup_codes_renewed: {
      subject: "Neue Ersatzcodes für dein {{app}}-Konto",
      intro: "Für dein {{app}}-Konto wurden neue Ersatzcodes erstellt; die früheren gelten nicht mehr.",
      sms: "für dein Konto wurden neue Ersatzcodes erstellt; die früheren gelten nicht mehr.",
      closing: act,
    },
    notice_backup_code_used: {
      subject: "Ein Ersatzcode deines {{app}}-Kontos wurde benutzt",
      intro:
        "Ein Ersatzcode deines {{app}}-Kontos wurde benutzt. Jeder gilt einmal; erstelle neue, wenn nur noch wenige übrig sind.",
      sms: "ein Ersatzcode deines Kontos wurde benutzt. Jeder gilt einmal; erstelle neue, wenn nur noch wenige übrig sind.",
      closing: act,
    },
    notice_backup_codes_low: {
      subject: "Die Ersatzcodes deines {{app}}-Kontos gehen zur Neige",
      intro:
        "Ein Ersatzcode deines {{app}}-Kontos wurde benutzt; höchstens zwei sind noch übrig. Erstelle neue, bevor der letzte verbraucht ist.",
      sms: "ein Ersatzcode deines Kontos wurde benutzt; höchstens zwei sind noch übrig. Erstelle neue.",
      closing: act,
    },
    notice_second_factor_locked: {
      subject: "Falsche Codes für dein {{app}}-Konto",
      intro:
        "Jemand hat nach einem richtigen ersten Anmeldeschritt viele falsche Codes für dein {{app}}-Konto eingegeben. Der zweite Faktor ist für eine Viertelstunde gesperrt.",
      sms: "für dein Konto wurden viele falsche Codes eingegeben. Der zweite Faktor ist für eine Viertelstunde gesperrt.",
      closing: act,
    },
    notice_passkey_copied: {
      subject: "Ein Passkey deines {{app}}-Kontos wurde womöglich kopiert",
      intro:
        "Eine Anmeldung an deinem {{app}}-Konto wurde abgelehnt, weil der benutzte Passkey eine Kopie sein kann. Entferne diesen Passkey und erstelle einen neuen.",
      sms: "eine Anmeldung wurde abgelehnt, weil der benutzte Passkey eine Kopie sein kann. Entferne diesen Passkey und erstelle einen neuen.",
      closing: "Bei Fragen wende dich an den Support.",
    },
    notice_provider_linked: {
      subject: "Anmeldedienst mit deinem {{app}}-Konto verknüpft",
      intro: "Mit deinem {{app}}-Konto wurde ein fremder Anmeldedienst verknüpft.",
      sms: "mit deinem Konto wurde ein Anmeldedienst verknüpft.",
      closing: act,
    },
    notice_provider_unlinked: {
      subject: "Anmeldedienst von deinem {{app}}-Konto getrennt",
      intro: "Von deinem {{app}}-Konto wurde ein fremder Anmeldedienst getrennt.",
      sms: "von deinem Konto wurde ein Anmeldedienst getrennt.",
      closing: act,
    },
    notice_account_deleted: {
      subject: "Dein {{app}}-Konto wurde gelöscht",
      intro: "Dein {{app}}-Konto wurde gelöscht.",
      sms: "dein Konto wurde gelöscht.",
      closing: "Falls du das nicht warst, wende dich sofort an den Support.",
    },
    notice_new_device: {
      subject: "Neue Anmeldung an deinem {{app}}-Konto",
      intro:
        "An deinem {{app}}-Konto gab es eine Anmeldung mit einem Gerät oder Browser, die es bisher nicht kannte: {{device}}.",
      sms: "neue Anmeldung an deinem Konto: {{device}}.",
      closing: act,
    },
    notice_registration_attempt: {
      subject: "Du hast schon ein {{app}}-Konto",
      intro:
        "Jemand wollte diese Adresse für ein anderes {{app}}-Konto verwenden; sie gehört schon zu deinem.",
      sms: "jemand wollte deine Nummer für ein anderes Konto verwenden; sie gehört schon zu deinem.",
      closing: "Falls du es warst, melde dich an oder setze dein Passwort zurück. Sonst ist nichts zu tun.",
    },
  },
};
