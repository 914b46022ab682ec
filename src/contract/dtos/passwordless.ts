import { bool, dto, everyGeneration, field, type Infer, type InferArgs, string } from "../types.ts";

/** Asks for a code, a link or both. */
export const PasswordlessStartRequest = dto("PasswordlessStartRequest", everyGeneration, {
  identifier: field("Identifier", string),
  mode: field("Mode", string),
  returnTo: field("ReturnTo", string),
  preferredLanguage: field("PreferredLanguage", string),
  accountInviteToken: field("AccountInviteToken", string),
});
export type PasswordlessStartRequest = Infer<typeof PasswordlessStartRequest>;
export type PasswordlessStartRequestInput = InferArgs<typeof PasswordlessStartRequest>;

/** Carries the plaintext code and link: never log it. */
export const PasswordlessStartResult = dto("PasswordlessStartResult", everyGeneration, {
  sent: field("Sent", bool),
  channel: field("Channel", string),
  code: field("Code", string),
  linkUrl: field("LinkURL", string),
});
export type PasswordlessStartResult = Infer<typeof PasswordlessStartResult>;

/** Whom a code or link belongs to. */
export const PasswordlessConfirmResult = dto("PasswordlessConfirmResult", everyGeneration, {
  userId: field("UserID", string),
  method: field("Method", string),
  returnTo: field("ReturnTo", string),
});
export type PasswordlessConfirmResult = Infer<typeof PasswordlessConfirmResult>;
