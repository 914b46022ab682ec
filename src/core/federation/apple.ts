import { createPrivateKey, type KeyObject, sign } from "node:crypto";
import type { AppleClientSecret } from "../../config/provider-config.ts";

const audience = "https://appleid.apple.com";

/**
 * Makes the client secrets of Sign in with Apple: short-lived JWTs signed with the team's key (ES256).
 *
 * @throws Error when the key is no P-256 private key: the operator learns of it at start.
 */
export function createAppleSecrets(
  settings: AppleClientSecret,
  clientId: string,
): (epochSeconds: number) => string {
  let key: KeyObject;
  try {
    key = createPrivateKey(settings.privateKeyPem);
  } catch (cause) {
    throw new Error("the private key of Sign in with Apple cannot be read", { cause });
  }
  if (key.asymmetricKeyType !== "ec" || key.asymmetricKeyDetails?.namedCurve !== "prime256v1")
    throw new Error("the private key of Sign in with Apple must be an EC key on P-256");
  const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const header = encode({ alg: "ES256", kid: settings.keyId, typ: "JWT" });
  return (now) => {
    const claims = {
      iss: settings.teamId,
      iat: now,
      exp: now + settings.ttlSeconds,
      aud: audience,
      sub: clientId,
    };
    const input = `${header}.${encode(claims)}`;
    const signature = sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" });
    return `${input}.${signature.toString("base64url")}`;
  };
}
