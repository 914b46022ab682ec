import type { Audit } from "../audit/index.ts";
import type { UserPrincipal } from "../authentication/principal.ts";
import type { CallContext } from "../platform.ts";

/** Records a wrong proof of a signed-in session: whoever holds a stolen token guesses here. */
export function recordRefusedProof(
  audit: Pick<Audit, "record">,
  { userId, sessionId }: Pick<UserPrincipal, "userId" | "sessionId">,
  refusal: { readonly code: string; readonly method: string },
  context: CallContext,
): Promise<void> {
  return audit.record(
    {
      action: "session.reauthenticated",
      target: `user:${userId}`,
      outcome: refusal.code,
      details: { sessionId: sessionId ?? "", methods: [refusal.method] },
    },
    context,
  );
}
