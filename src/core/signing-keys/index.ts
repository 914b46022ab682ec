export { SigningKeyError } from "./errors.ts";
export { generatePrivateKey, privatePem, publicPem } from "./generate.ts";
export { jwksReply } from "./jwks-reply.ts";
export { createKeyRing, type KeyRingContext, prepareSigningKeys } from "./key-ring.ts";
export { algorithmOf, parsePrivateKey, parsePublicKey } from "./pem.ts";
export { rotateSigningKeys } from "./rotate.ts";
export { jwksMaxAge } from "./rotation-plan.ts";
export { loadTotpKeys, prepareTotpKey, type TotpKeys } from "./totp-key.ts";
export type { KeyRing, KeySet, SigningAlgorithm, VerificationKey } from "./types.ts";
