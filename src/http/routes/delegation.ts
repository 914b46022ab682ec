import { Type } from "typebox";
import { mintedEntry } from "../../core/tokens/index.ts";
import { requireUser } from "../principals.ts";
import { json, type Route, route } from "../route.ts";
import { seconds } from "../wire-time.ts";

/** Tokens with which a signed-in user acts elsewhere. */
export const delegationRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/delegated/token",
    group: "delegated",
    since: "0.97",
    auth: "required",
    limit: "delegated_token_mint",
    failure: "delegated_mint_failed",
    enabled: ({ delegation }) => delegation !== undefined,
    summary:
      "Mint a delegated access token for the signed-in user, for the configured audiences or some of them.",
    body: Type.Object({
      ttl_seconds: Type.Optional(Type.Integer()),
      audiences: Type.Optional(Type.Array(Type.String())),
    }),
    bodyMode: "optional",
    replies: { 200: Type.Object({ token: Type.String(), expires_at: Type.String() }) },
    errors: ["unauthorized", "rate_limited", "invalid_request", "invalid_audiences", "delegated_mint_failed"],
    async handle(context, { body }) {
      const { userId } = requireUser(context);
      const { token, expiresAt } = context.core.mint.ownDelegation(userId, {
        ttlSeconds: body.ttl_seconds ?? 0,
        audiences: body.audiences ?? [],
      });
      await context.core.audit.record(mintedEntry("delegated/token", token), context);
      return json(200, { token, expires_at: seconds(expiresAt) });
    },
  }),
];
