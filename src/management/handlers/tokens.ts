import type { JsonObject } from "../../contract/json.ts";
import { parseUserId } from "../../core/identifiers/index.ts";
import type { Core } from "../../core/index.ts";
import type { IssuedToken } from "../../core/tokens/index.ts";
import type { HandlerFactory } from "./index.ts";

/**
 * A user access token without a session of its own. `extra.sid` may name a live session of the user, whose authentication the token then
 * carries; any other `sid` is dropped with a warning.
 */
async function userToken(core: Core, userId: string, extra: JsonObject): Promise<IssuedToken> {
  const { sid } = extra;
  const user = await core.users.admit(parseUserId(userId));
  const [mfa, session] = await Promise.all([
    core.mfaStates.of(user.id),
    typeof sid === "string" ? core.sessions.find(user.id, sid) : undefined,
  ]);
  return core.tokens.accessToken({
    userId: user.id,
    mfaEnrolled: mfa.enabled && mfa.factors.length > 0,
    extra,
    ...(session === undefined
      ? {}
      : {
          session: {
            id: session.id,
            authenticatedAt: session.lastAuthenticatedAt ?? session.createdAt,
            methods: session.authMethods,
          },
        }),
  });
}

/** Tokens that back ends ask for, and signed documents. */
export const tokenHandlers: HandlerFactory = (core) => ({
  issueAccessToken: ({ userId, extra }) => userToken(core, userId, extra),
  mintAccessToken: ({ userId, extra }) => userToken(core, userId, extra),
  mintServiceJwt: async ({ opts }) => core.mint.serviceJwt(opts),
  mintCustomJwt: async ({ opts }) => core.mint.customJwt(opts),
  mintDelegatedAccessToken: async ({ p }) => core.mint.delegatedAccessToken(p),
  mintRemoteApplicationAccessToken: async ({ p }) => core.mint.remoteApplicationAccessToken(p),
  signDocument: async ({ envelope }) => core.signedDocuments.sign(envelope),
});
