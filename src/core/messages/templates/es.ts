import type { Texts } from "./wording.ts";

const ignore = "Si no lo has solicitado, puedes ignorar este mensaje.";
const act = "Si no has sido tu, restablece tu clave y contacta con soporte de inmediato.";

/** Spanish without accents, so that an SMS stays within the basic alphabet (GSM 03.38). */
export const spanish: Texts = {
  greeting: "Hola {{username}},",
  code: "Tu codigo:",
  link: "Abre este enlace:",
  smsLink: "Verificar:",
  validity: "Valido durante {{duration}}.",
  kinds: {
    signup: {
      subject: "Verifica tu cuenta de {{app}}",
      intro: "Te damos la bienvenida. Confirma tu direccion para terminar de crear tu cuenta de {{app}}.",
      sms: "codigo de verificacion",
      closing: ignore,
    },
    contact_verify: {
      subject: "Verifica tu cuenta de {{app}}",
      intro: "Confirma que esta direccion pertenece a tu cuenta de {{app}}.",
      sms: "codigo de verificacion",
      closing: ignore,
    },
    contact_change: {
      subject: "Verifica tu cuenta de {{app}}",
      intro: "Confirma esta direccion como la nueva de tu cuenta de {{app}}.",
      sms: "codigo para confirmar tu nuevo numero",
      closing: ignore,
    },
    two_factor_setup: {
      subject: "Tu codigo de configuracion de {{app}}",
      intro: "Usa este codigo para activar la verificacion en dos pasos de tu cuenta de {{app}}.",
      sms: "codigo de configuracion en dos pasos",
      closing: ignore,
    },
    passwordless_login: {
      subject: "Verifica tu cuenta de {{app}}",
      intro: "Usa esto para iniciar sesion en {{app}}.",
      sms: "codigo de inicio de sesion",
      closing: ignore,
    },
    password_reset: {
      subject: "Restablece tu clave de {{app}}",
      intro: "Alguien ha pedido restablecer la clave de tu cuenta de {{app}}.",
      sms: "restablecer clave",
      closing: ignore,
    },
    login_code: {
      subject: "Tu codigo de acceso de {{app}}",
      intro: "Usa este codigo para terminar de iniciar sesion en {{app}}.",
      sms: "codigo de acceso",
      closing: "No des este codigo a nadie. Si no estas iniciando sesion, cambia tu clave.",
    },
    welcome: {
      subject: "Bienvenida a {{app}}",
      intro: "Te damos la bienvenida a {{app}}, tu cuenta esta lista.",
      sms: "te damos la bienvenida, tu cuenta esta lista.",
    },
    account_registration_invite: {
      subject: "Tienes una invitacion a {{app}}",
      intro: "Te han invitado a crear una cuenta en {{app}}.",
      sms: "invitacion",
      closing: "Si no la esperabas, puedes ignorar este mensaje.",
    },
    notice_contact_changed: {
      subject: "Los datos de contacto de tu cuenta de {{app}} han cambiado",
      intro:
        "Los datos de contacto de tu cuenta de {{app}} han cambiado; los mensajes ya no llegan a esta direccion.",
      sms: "los datos de contacto de tu cuenta han cambiado.",
      closing: act,
    },
    notice_password_changed: {
      subject: "La clave de tu cuenta de {{app}} ha cambiado",
      intro: "La clave de tu cuenta de {{app}} ha cambiado.",
      sms: "la clave de tu cuenta ha cambiado.",
      closing: act,
    },
    notice_factor_added: {
      subject: "Nuevo factor de acceso en tu cuenta de {{app}}",
      intro: "Se ha anadido una llave de acceso o un segundo factor a tu cuenta de {{app}}.",
      sms: "se ha anadido un factor de acceso a tu cuenta.",
      closing: act,
    },
    notice_factor_removed: {
      subject: "Factor de acceso retirado de tu cuenta de {{app}}",
      intro: "Se ha retirado una llave de acceso o un segundo factor de tu cuenta de {{app}}.",
      sms: "se ha retirado un factor de acceso de tu cuenta.",
      closing: act,
    },
    notice_factor_changed: {
      subject: "Se han cambiado los factores de acceso de tu cuenta de {{app}}",
      intro: "A partir de ahora se pedira primero otro segundo factor de tu cuenta de {{app}}.",
      sms: "a partir de ahora se pedira primero otro segundo factor de tu cuenta.",
      closing: act,
    },
    notice_backup_codes_renewed: {
      subject: "Nuevos codigos de respaldo de tu cuenta de {{app}}",
      intro:
        "Se han creado nuevos codigos de respaldo para tu cuenta de {{app}}; los anteriores ya no sirven.",
      sms: "se han creado nuevos codigos de respaldo para tu cuenta; los anteriores ya no sirven.",
      closing: act,
    },
    notice_backup_code_used: {
      subject: "Se ha usado un codigo de respaldo de tu cuenta de {{app}}",
      intro:
        "Se ha usado un codigo de respaldo de tu cuenta de {{app}}. Cada uno sirve una vez; crea nuevos cuando queden pocos.",
      sms: "se ha usado un codigo de respaldo de tu cuenta. Cada uno sirve una vez; crea nuevos cuando queden pocos.",
      closing: act,
    },
    notice_backup_codes_low: {
      subject: "Quedan pocos codigos de respaldo de tu cuenta de {{app}}",
      intro:
        "Se ha usado un codigo de respaldo de tu cuenta de {{app}} y quedan dos o menos. Crea nuevos antes de que se acaben.",
      sms: "se ha usado un codigo de respaldo de tu cuenta y quedan dos o menos. Crea nuevos.",
      closing: act,
    },
    notice_second_factor_locked: {
      subject: "Codigos incorrectos en tu cuenta de {{app}}",
      intro:
        "Alguien ha superado el primer paso de acceso y ha introducido muchos codigos incorrectos en tu cuenta de {{app}}. El segundo factor queda bloqueado un cuarto de hora.",
      sms: "se han introducido muchos codigos incorrectos en tu cuenta. El segundo factor queda bloqueado un cuarto de hora.",
      closing: act,
    },
    notice_passkey_copied: {
      subject: "Es posible que se haya copiado una llave de acceso de tu cuenta de {{app}}",
      intro:
        "Se ha rechazado un acceso a tu cuenta de {{app}}, porque la llave de acceso usada puede ser una copia. Elimina esa llave y crea una nueva.",
      sms: "se ha rechazado un acceso, porque la llave de acceso usada puede ser una copia. Elimina esa llave y crea una nueva.",
      closing: "Si tienes preguntas, contacta con soporte.",
    },
    notice_provider_linked: {
      subject: "Proveedor de acceso vinculado a tu cuenta de {{app}}",
      intro: "Se ha vinculado un proveedor de acceso externo a tu cuenta de {{app}}.",
      sms: "se ha vinculado un proveedor de acceso a tu cuenta.",
      closing: act,
    },
    notice_provider_unlinked: {
      subject: "Proveedor de acceso desvinculado de tu cuenta de {{app}}",
      intro: "Se ha desvinculado un proveedor de acceso externo de tu cuenta de {{app}}.",
      sms: "se ha desvinculado un proveedor de acceso de tu cuenta.",
      closing: act,
    },
    notice_account_deleted: {
      subject: "Tu cuenta de {{app}} ha sido eliminada",
      intro: "Tu cuenta de {{app}} ha sido eliminada.",
      sms: "tu cuenta ha sido eliminada.",
      closing: "Si no has sido tu, contacta con soporte de inmediato.",
    },
    notice_new_device: {
      subject: "Nuevo acceso a tu cuenta de {{app}}",
      intro: "Se ha accedido a tu cuenta de {{app}} desde un dispositivo o navegador nuevo: {{device}}.",
      sms: "nuevo acceso a tu cuenta: {{device}}.",
      closing: act,
    },
    notice_registration_attempt: {
      subject: "Ya tienes una cuenta de {{app}}",
      intro: "Alguien ha intentado usar esta direccion para otra cuenta de {{app}}; ya pertenece a la tuya.",
      sms: "alguien ha intentado usar tu numero para otra cuenta; ya pertenece a la tuya.",
      closing: "Si has sido tu, inicia sesion o restablece tu clave. Si no, no tienes que hacer nada.",
    },
  },
};
