/** What the hosted pages say in one language. */
export interface HostedWording {
  readonly verify: {
    readonly title: string;
    readonly intro: string;
    readonly action: string;
    readonly done: string;
  };
  readonly reset: {
    readonly title: string;
    readonly label: string;
    readonly action: string;
    readonly done: string;
  };
  /** By the code of the refusal. */
  readonly errors: Readonly<Record<string, string>>;
  readonly failed: string;
  readonly noScript: string;
}

const english: HostedWording = {
  verify: {
    title: "Confirm your address",
    intro: "Confirm that this address belongs to your account.",
    action: "Confirm",
    done: "Confirmed. You can close this page and sign in.",
  },
  reset: {
    title: "Choose a new password",
    label: "New password",
    action: "Set password",
    done: "Your new password is set. You can close this page and sign in.",
  },
  errors: {
    invalid_or_expired_token: "This link is no longer valid. Ask for a new one.",
    invalid_or_expired_code: "This link is no longer valid. Ask for a new one.",
    verification_link_expired: "This link is no longer valid. Ask for a new one.",
    invalid_request: "This link is incomplete. Open it as it was sent to you.",
    password_too_short: "This password is too short.",
    password_too_common: "This password is too easy to guess.",
    password_breached: "This password is known from a data breach. Choose another one.",
    rate_limited: "Too many attempts. Try again later.",
  },
  failed: "That did not work. Try again later.",
  noScript: "This page needs JavaScript.",
};

const german: HostedWording = {
  verify: {
    title: "Adresse bestätigen",
    intro: "Bestätige, dass diese Adresse zu deinem Konto gehört.",
    action: "Bestätigen",
    done: "Bestätigt. Du kannst diese Seite schließen und dich anmelden.",
  },
  reset: {
    title: "Neues Passwort wählen",
    label: "Neues Passwort",
    action: "Passwort setzen",
    done: "Dein neues Passwort ist gesetzt. Du kannst diese Seite schließen und dich anmelden.",
  },
  errors: {
    invalid_or_expired_token: "Dieser Link gilt nicht mehr. Fordere einen neuen an.",
    invalid_or_expired_code: "Dieser Link gilt nicht mehr. Fordere einen neuen an.",
    verification_link_expired: "Dieser Link gilt nicht mehr. Fordere einen neuen an.",
    invalid_request: "Dieser Link ist unvollständig. Öffne ihn so, wie er dir geschickt wurde.",
    password_too_short: "Dieses Passwort ist zu kurz.",
    password_too_common: "Dieses Passwort ist zu leicht zu erraten.",
    password_breached: "Dieses Passwort ist aus einem Datenleck bekannt. Wähle ein anderes.",
    rate_limited: "Zu viele Versuche. Versuche es später noch einmal.",
  },
  failed: "Das hat nicht geklappt. Versuche es später noch einmal.",
  noScript: "Diese Seite braucht JavaScript.",
};

const spanish: HostedWording = {
  verify: {
    title: "Confirma tu dirección",
    intro: "Confirma que esta dirección pertenece a tu cuenta.",
    action: "Confirmar",
    done: "Confirmado. Puedes cerrar esta página y acceder.",
  },
  reset: {
    title: "Elige una clave nueva",
    label: "Clave nueva",
    action: "Guardar clave",
    done: "Tu clave nueva está guardada. Puedes cerrar esta página y acceder.",
  },
  errors: {
    invalid_or_expired_token: "Este enlace ya no es válido. Pide uno nuevo.",
    invalid_or_expired_code: "Este enlace ya no es válido. Pide uno nuevo.",
    verification_link_expired: "Este enlace ya no es válido. Pide uno nuevo.",
    invalid_request: "Este enlace está incompleto. Ábrelo tal como se te envió.",
    password_too_short: "Esta clave es demasiado corta.",
    password_too_common: "Esta clave es demasiado fácil de adivinar.",
    password_breached: "Esta clave aparece en una filtración de datos. Elige otra.",
    rate_limited: "Demasiados intentos. Inténtalo más tarde.",
  },
  failed: "No ha funcionado. Inténtalo más tarde.",
  noScript: "Esta página necesita JavaScript.",
};

const languages: ReadonlyMap<string, HostedWording> = new Map([
  ["en", english],
  ["de", german],
  ["es", spanish],
]);

/** The wording of a language, with the language it is in; English where there is none. */
export function hostedWording(language: string): {
  readonly language: string;
  readonly words: HostedWording;
} {
  const words = languages.get(language);
  return words === undefined ? { language: "en", words: english } : { language, words };
}
