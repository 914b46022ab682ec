export interface SenderConfig {
  readonly mail: MailSenderConfig | undefined;
  readonly sms: SmsSenderConfig | undefined;
  readonly appName: string;
  /** Directory of template overrides. */
  readonly templates: string | undefined;
}

export type MailSenderConfig =
  | {
      readonly kind: "smtp";
      readonly url: string;
      readonly from: string;
      readonly password: string | undefined;
    }
  | { readonly kind: "webhook"; readonly url: string; readonly secret: string; readonly from: string }
  | { readonly kind: "console"; readonly from: string };

export type SmsSenderConfig =
  | {
      readonly kind: "twilio";
      readonly accountSid: string;
      readonly authToken: string;
      readonly messagingServiceSid: string;
      readonly baseUrl: string;
    }
  | { readonly kind: "webhook"; readonly url: string; readonly secret: string }
  | { readonly kind: "console" };
