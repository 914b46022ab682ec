export { randomUsername, type UsernameSource, usernameBase, usernameCandidates } from "./derived-username.ts";
export { isEmail, isNewEmail, normalizeEmail, parseNewEmail } from "./email.ts";
export {
  type Identifier,
  limitKey,
  loginIdentifier,
  passwordlessIdentifier,
  registrationIdentifier,
} from "./kinds.ts";
export { acceptedLanguages, matchLanguage, negotiateLanguage, parseLanguage } from "./language.ts";
export {
  isApiKeyRole,
  isAttributeKey,
  isMetadataKey,
  isPersonaOrRole,
  isSlug,
  isStorable,
  isStorableJson,
  isUuid,
  parseUserId,
} from "./names.ts";
export { isPhone, normalizePhone, parseNewPhone } from "./phone.ts";
export { safeReturnTo } from "./return-to.ts";
export { foldUsername, isReservedUsername, parseUsername, type UsernameRule } from "./username.ts";
