import type { HandlerFactory } from "./index.ts";

/** What this deployment can do: senders, entitlements, verification policy, invites. */
export const deploymentHandlers: HandlerFactory = ({ messages }, config) => {
  const { mail, sms } = config.senders;
  const { mode, verification } = config.registration;
  return {
    hasEmailSender: async () => mail !== undefined,
    hasSmsSender: async () => sms !== undefined,
    smsAvailable: async () => messages.available("sms"),
    listEntitlements: async () => config.development.staticEntitlements ?? null,
    externalInvitesEnabled: async () => mode === "open" || mode === "invite_only",
    validateVerificationConfiguration: async () => {
      if (verification === "required" && mail === undefined && sms === undefined) {
        throw new Error(
          'registration verification policy is "required" but no email or SMS sender is configured',
        );
      }
    },
  };
};
