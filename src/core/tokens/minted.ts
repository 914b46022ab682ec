import type { AuditEntry } from "../audit/types.ts";

function claimsOf(token: string): Readonly<Record<string, unknown>> {
  const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
  return typeof claims === "object" && claims !== null ? { ...claims } : {};
}

/** The audit row about a token that was made, in the token's own words; `method` is what made it. */
export function mintedEntry(method: string, token: string): AuditEntry {
  const { sub, delegated_sub: delegated, aud, jti } = claimsOf(token);
  const subject = sub ?? delegated;
  return {
    action: "token.minted",
    target: typeof subject === "string" && subject !== "" ? `subject:${subject}` : undefined,
    outcome: "ok",
    details: { method, subject, audience: aud, jti },
  };
}
