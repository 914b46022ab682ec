/**
 * A resource server in a process of its own: verifies access tokens, one a line on standard input, with the key set of an issuer and an
 * independent library; answers `ok <sub>` or `failed <reason>` a line. Usage: verify-elsewhere <jwks url> <issuer> <audience>
 */
import { createInterface } from "node:readline";
import { createRemoteJWKSet, jwtVerify } from "jose";

const [jwks = "", issuer = "", audience = ""] = process.argv.slice(2);
const keys = createRemoteJWKSet(new URL(jwks), { cooldownDuration: 50 });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const { payload } = await jwtVerify(line, keys, { issuer, audience });
    console.log(`ok ${payload.sub}`);
  } catch (error) {
    console.log(`failed ${error instanceof Error ? error.message : String(error)}`);
  }
}
