import { Type } from "typebox";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import { schemaCheck } from "../../platform/schema-check.ts";
import type { Platform } from "../platform.ts";
import { hashToken } from "../verification/secrets.ts";
import type { FlowPurpose, PendingFlow } from "./types.ts";

/** Seconds somebody may take at the provider. */
export const flowTtl = 900;

const stored = schemaCheck(
  Type.Object({
    provider: Type.String(),
    nonce: Type.String(),
    verifier: Type.String(),
    redirectUri: Type.String(),
    returnTo: Type.String(),
    ui: Type.Union([Type.Literal("redirect"), Type.Literal("popup")]),
    popupNonce: Type.String(),
    displayName: Type.Optional(Type.String()),
    purpose: Type.Union([
      Type.Object({ kind: Type.Literal("login"), inviteToken: Type.String() }),
      Type.Object({ kind: Type.Literal("link"), userId: Type.String() }),
      Type.Object({
        kind: Type.Literal("step_up"),
        userId: Type.String(),
        sessionId: Type.String(),
        startedAt: Type.Number(),
      }),
    ]),
  }),
);

/** What is stored of a flow under the hash of its state; whoever reads it has used it up. */
export interface FlowBook {
  /** Throws `state_store_failed`, `service_unavailable`. */
  put(
    flow: Omit<PendingFlow, "flow" | "displayName"> & { readonly provider: string; readonly origin: Origin },
  ): Promise<void>;
  /** Adds the name a form told to the flow; does nothing when there is no such flow of that provider. */
  tellName(state: string, provider: string, displayName: string): Promise<void>;
  take(state: string): Promise<PendingFlow | undefined>;
}

type Origin = Pick<PendingFlow["flow"], "returnTo" | "ui" | "popupNonce">;

export function createFlowBook(platform: Pick<Platform, "ephemeral">): FlowBook {
  const { ephemeral } = platform;
  const parse = (text: string | undefined) => {
    const record: unknown = text === undefined ? undefined : JSON.parse(text);
    return stored.matches(record) ? record : undefined;
  };
  const key = (state: string): string => `auth:oidc:state:${hashToken(state)}`;

  return {
    async put({ state, provider, nonce, verifier, redirectUri, purpose, origin }) {
      const record = { provider, nonce, verifier, redirectUri, purpose, ...origin };
      try {
        await ephemeral.set(key(state), JSON.stringify(record), flowTtl);
      } catch (cause) {
        throw isAuthError(cause) ? cause : new AuthError("state_store_failed", { cause });
      }
    },

    async tellName(state, provider, displayName) {
      const text = await ephemeral.get(key(state));
      const record = parse(text);
      if (text === undefined || record?.provider !== provider) return;
      await ephemeral.compareAndSet(key(state), text, JSON.stringify({ ...record, displayName }));
    },

    async take(state) {
      const record = parse(await ephemeral.take(key(state)));
      if (record === undefined) return undefined;
      const { provider, nonce, verifier, redirectUri, returnTo, ui, popupNonce } = record;
      const purpose: FlowPurpose = record.purpose;
      return {
        flow: { provider, returnTo, ui, popupNonce, purpose: purpose.kind },
        ...{ state, nonce, verifier, redirectUri, purpose },
        displayName: record.displayName ?? "",
      };
    },
  };
}
