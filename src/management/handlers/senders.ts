import { AuthError } from "../../contract/errors/index.ts";
import type { HandlerFactory } from "./index.ts";

/** Whether mail and SMS can be sent, and whether that is enough for the verification policy. */
export const senderHandlers: HandlerFactory = ({ messages }) => ({
  hasEmailSender: async () => messages.configured("email"),
  hasSmsSender: async () => messages.configured("sms"),
  smsAvailable: async () => messages.available("sms"),
  checkSmsHealth: async (_, { signal }) => {
    const reason = await messages.checkSmsHealth(signal);
    if (reason !== undefined)
      throw new AuthError("sms_unavailable", { status: 503, message: reason, cause: new Error(reason) });
  },
  validateVerificationConfiguration: async () => messages.validateVerification(),
});
