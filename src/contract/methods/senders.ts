import { bool, everyGeneration, nothing } from "../types.ts";
import { method } from "./method.ts";

/** Methods of the topic Senders. */
export const sendersMethods = {
  checkSmsHealth: method({
    name: "CheckSMSHealth",
    topic: "Senders",
    generations: everyGeneration,
    args: {},
    result: nothing,
    errors: ["sms_unavailable"],
  }),
  hasEmailSender: method({
    name: "HasEmailSender",
    topic: "Senders",
    generations: everyGeneration,
    args: {},
    result: bool,
    canFail: false,
  }),
  hasSmsSender: method({
    name: "HasSMSSender",
    topic: "Senders",
    generations: everyGeneration,
    args: {},
    result: bool,
    canFail: false,
  }),
  smsAvailable: method({
    name: "SMSAvailable",
    topic: "Senders",
    generations: everyGeneration,
    args: {},
    result: bool,
    canFail: false,
  }),
};
