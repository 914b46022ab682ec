/**
 * A resource server in a process of its own: verifies bearers, one a line on standard input, with the verify library; answers `ok <kind> <subject>` or
 * `failed <code>` a line. Usage: resource-server <issuer> <audience>
 */
import { createInterface } from "node:readline";
import { createVerifier, isAuthError } from "../../src/verify/index.ts";

const [issuer = "", audience = ""] = process.argv.slice(2);
const verifier = createVerifier({ issuers: [{ issuer, audiences: [audience] }] });
for await (const line of createInterface({ input: process.stdin })) {
  try {
    const principal = await verifier.verify(line);
    console.log(`ok ${principal.kind} ${principal.subject ?? ""}`);
  } catch (error) {
    console.log(`failed ${isAuthError(error) ? error.code : String(error)}`);
  }
}
