import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { parseNewEmail } from "../identifiers/index.ts";
import type { Limits } from "../limits/index.ts";
import { recordRefusedLogin } from "../login/refused.ts";
import type { LoginCompletion } from "../login/types.ts";
import type { Notices } from "../notices/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import type { SessionOrigin, Sessions } from "../sessions/types.ts";
import { mayMessage } from "../verification/gate.ts";
import { createProviderClient, type ProviderClient } from "./client.ts";
import { createFlowBook } from "./flows.ts";
import type { ExternalIdentity } from "./mapping.ts";
import { postedName } from "./posted-user.ts";
import { type Provider, resolveProvider } from "./provider.ts";
import { createAccountResolution, type ResolutionParts, type Resolved } from "./resolution.ts";
import { createResultCodes } from "./result-codes.ts";
import { type Federation, FlowFailed, type FlowPurpose, type FlowResult, type PendingFlow } from "./types.ts";

export {
  type Federation,
  FlowFailed,
  type FlowOrigin,
  type FlowPurpose,
  type FlowResult,
  type PendingFlow,
  type ProviderSummary,
  type ResumedFlow,
} from "./types.ts";

/** Characters of a provider's refusal that are logged. */
const refusalLength = 200;
/** Seconds the clocks of provider and server may differ when a fresh authentication is proven. */
const clockTolerance = 120;

export interface FederationParts extends ResolutionParts {
  readonly notices: Notices;
  /** Sends a code and link to an address, which is the account's once it is confirmed. */
  readonly requestEmail: (userId: string, email: string, context: CallContext) => Promise<void>;
  readonly limits: Limits;
  readonly sessions: Pick<Sessions, "reauthenticate">;
  readonly completion: LoginCompletion;
}

function originOf({ kind, id }: Provider): SessionOrigin {
  return kind === "oidc" ? "oidc_login" : `oauth_login:${id}`;
}

interface Known {
  readonly provider: Provider;
  readonly client: ProviderClient;
}

/**
 * Sign-in, linking and step-up at the configured identity providers.
 *
 * @throws Error for a provider that can never work, such as one with an unusable key.
 */
export function createFederation(
  platform: Pick<Platform, "config" | "database" | "clock" | "random" | "ephemeral" | "outbound" | "log">,
  parts: FederationParts,
): Federation {
  const { config, clock, random, outbound, log } = platform;
  const { sessions, completion, identities, notices, requestEmail, limits, audit } = parts;
  const book = createFlowBook(platform);
  const resolution = createAccountResolution(platform, parts);
  const known = new Map<string, Known>();
  for (const declared of config.providers) {
    const provider = resolveProvider(declared);
    if (provider === undefined) {
      log.warn({ provider: declared.id }, "an identity provider lacks required settings and is not offered");
      continue;
    }
    const onlyTrue = config.contract === "0.97";
    const client = createProviderClient(provider, { fetch: outbound.fetch, clock, log, onlyTrue });
    known.set(provider.id, { provider, client });
  }
  const sorted = [...known.values()].sort((a, b) => (a.provider.id < b.provider.id ? -1 : 1));

  function find(id: string): Known {
    const found = known.get(id.trim().toLowerCase());
    if (found === undefined) throw new AuthError("unknown_provider");
    return found;
  }

  function redirectUri(provider: Provider, purpose: FlowPurpose["kind"]): string {
    const path = `/oidc/${provider.id}/${purpose === "step_up" ? "step-up/callback" : "callback"}`;
    if (provider.redirectUri !== undefined && purpose !== "step_up") return provider.redirectUri;
    return `${new URL(config.federation.publicUrl).origin}${config.apiPrefix}${path}`;
  }

  async function assertLinked(provider: Provider, userId: string): Promise<void> {
    const links = await identities.list(userId);
    if (!links.some((link) => link.issuer === provider.issuer && link.provider === provider.id))
      throw new AuthError("provider_not_linked");
  }

  async function stepUp(
    { provider, client }: Known,
    identity: ExternalIdentity,
    purpose: Extract<FlowPurpose, { kind: "step_up" }>,
    context: CallContext,
  ) {
    const { userId, sessionId, startedAt } = purpose;
    if ((await resolution.ownerOf(provider, identity)) !== userId) throw new AuthError("provider_not_linked");
    const { authTime } = identity;
    const inTime =
      authTime !== undefined &&
      authTime >= startedAt - clockTolerance &&
      authTime <= clock.epochSeconds() + clockTolerance;
    const fresh = provider.kind === "oauth2" ? client.provesFreshness() : inTime;
    if (!fresh) throw new AuthError("step_up_failed");
    return sessions.reauthenticate(userId, sessionId, ["oauth"], context);
  }

  /** What the owner hears of a new account or a new door. */
  async function tellOwner(
    { user, created }: Resolved,
    identity: ExternalIdentity,
    purpose: FlowPurpose["kind"],
    context: CallContext,
  ): Promise<void> {
    if (purpose === "link") return notices.tell("notice_provider_linked", user, context);
    if (!created) return;
    if (user.email !== null) return notices.tell("welcome", user, context);
    if (identity.email === "") return;
    try {
      const email = parseNewEmail(identity.email);
      if (await mayMessage(limits, "auth_email_verify_request", email))
        await requestEmail(user.id, email, context);
    } catch (err) {
      log.warn({ err, user: user.id }, "an address told by an identity provider could not be asked for");
    }
  }

  async function complete(
    found: Known,
    pending: PendingFlow,
    answer: URLSearchParams,
    whose: { userId: string },
    context: CallContext,
  ): Promise<FlowResult> {
    const { flow, state, nonce, verifier, purpose } = pending;
    const { provider, client } = found;
    const told = await client.identity(
      {
        code: answer.get("code") ?? "",
        issuer: answer.get("iss") ?? undefined,
        redirectUri: pending.redirectUri,
      },
      { state, nonce, verifier },
    );
    const identity = { ...told, displayName: told.displayName || pending.displayName };
    if (purpose.kind === "step_up") {
      return { kind: "stepped_up", flow, fresh: await stepUp(found, identity, purpose, context) };
    }
    const resolved =
      purpose.kind === "link"
        ? await resolution.link(provider, identity, purpose.userId, context)
        : await resolution.signIn(provider, identity, purpose.inviteToken, context);
    whose.userId = resolved.user.id;
    if (purpose.kind === "link" && !config.federation.linkSession) {
      await tellOwner(resolved, identity, "link", context);
      return { kind: "linked", flow, state, user: { id: resolved.user.id, email: resolved.email } };
    }
    try {
      const { user, email } = resolved;
      const outcome = await completion.complete(
        user,
        {
          methods: ["oauth"],
          origin: originOf(provider),
          extraClaims: { provider: provider.id },
        },
        context,
      );
      await tellOwner(resolved, identity, purpose.kind, context);
      return { kind: "signed_in", flow, state, outcome, user: { id: user.id, email } };
    } catch (cause) {
      throw isAuthError(cause) ? cause : new AuthError("session_issue_failed", { cause });
    }
  }

  return {
    providers: () =>
      sorted.map(({ provider: { id, name, kind, formPost }, client }) => ({
        ...{ id, name, kind },
        provesFreshness: client.provesFreshness(),
        answersByForm: formPost,
      })),
    results: createResultCodes(platform),

    providerRefused(provider, said) {
      const quoted = (text: string | undefined) => JSON.stringify((text ?? "").slice(0, refusalLength));
      const words = {
        error: quoted(said.error),
        description: quoted(said.error_description),
        uri: quoted(said.error_uri),
      };
      log.info({ provider, ...words }, "an identity provider refused a sign-in");
    },

    async start(id, request, origin) {
      const { provider, client } = find(id);
      const purpose = request.kind === "step_up" ? { ...request, startedAt: clock.epochSeconds() } : request;
      if (purpose.kind === "step_up") {
        if (provider.kind === "oauth2" && !client.provesFreshness()) throw new AuthError("unknown_provider");
        await assertLinked(provider, purpose.userId);
      }
      const secrets = {
        state: random.token(32),
        nonce: random.token(16),
        verifier: (await client.usesPkce()) ? random.token(32) : "",
      };
      const uri = redirectUri(provider, purpose.kind);
      const url = await client.authorizationUrl(secrets, {
        redirectUri: uri,
        stepUp: purpose.kind === "step_up",
      });
      await book.put({ ...secrets, redirectUri: uri, purpose, provider: provider.id, origin });
      return { url, state: secrets.state };
    },

    async receiveForm(id, state, user) {
      const name = postedName(user);
      if (state !== "" && name !== "") await book.tellName(state, find(id).provider.id, name);
    },

    async resume(id, state) {
      const pending = await book.take(state);
      if (pending?.flow.provider !== find(id).provider.id) throw new AuthError("invalid_state");
      return pending;
    },

    async finish(pending, answer, context) {
      const found = find(pending.flow.provider);
      const whose = { userId: "" };
      try {
        return await complete(found, pending, answer, whose, context);
      } catch (cause) {
        if (pending.purpose.kind === "login")
          await recordRefusedLogin(audit, { ...whose, method: originOf(found.provider) }, cause, context);
        throw new FlowFailed(pending.flow, cause);
      }
    },
  };
}
