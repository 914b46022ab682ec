import type { LoginOutcome } from "../login/types.ts";
import type { CallContext } from "../platform.ts";
import type { FreshAuthentication } from "../step-up/sensitive.ts";
import type { ResultCodes } from "./result-codes.ts";

/** A configured identity provider as clients see it. */
export interface ProviderSummary {
  readonly id: string;
  readonly name: string;
  readonly kind: "oidc" | "oauth2";
  /** A sign-in there can make a session fresh. */
  readonly provesFreshness: boolean;
  /** Its answer is a form the browser posts. */
  readonly answersByForm: boolean;
}

/** What a flow remembers about where it came from. */
export interface FlowOrigin {
  /** Same-site path; `/` when none was asked for. */
  readonly returnTo: string;
  readonly ui: "redirect" | "popup";
  readonly popupNonce: string;
}

export interface StartedFlow {
  readonly url: string;
  readonly state: string;
}

/** What a flow is for. */
export type FlowPurpose =
  | { readonly kind: "login"; readonly inviteToken: string }
  | { readonly kind: "link"; readonly userId: string }
  | {
      readonly kind: "step_up";
      readonly userId: string;
      readonly sessionId: string;
      /** Seconds since the epoch. */
      readonly startedAt: number;
    };

/** What somebody starts a flow for; when it started is noted by whoever keeps it. */
export type FlowRequest =
  | Exclude<FlowPurpose, { readonly kind: "step_up" }>
  | Omit<Extract<FlowPurpose, { readonly kind: "step_up" }>, "startedAt">;

/** Where an answer belongs. */
export interface ResumedFlow extends FlowOrigin {
  readonly provider: string;
  readonly purpose: FlowPurpose["kind"];
}

export type FlowResult =
  | {
      readonly kind: "signed_in";
      readonly flow: ResumedFlow;
      readonly state: string;
      readonly outcome: LoginOutcome;
      readonly user: { readonly id: string; readonly email: string };
    }
  | {
      /** Linked, and nobody signed in by it. */
      readonly kind: "linked";
      readonly flow: ResumedFlow;
      readonly state: string;
      readonly user: { readonly id: string; readonly email: string };
    }
  | { readonly kind: "stepped_up"; readonly flow: ResumedFlow; readonly fresh: FreshAuthentication };

/** A callback that failed after its flow was found: the failure is delivered the way success would have been. */
export class FlowFailed extends Error {
  override readonly name = "FlowFailed";
  readonly flow: ResumedFlow;

  constructor(flow: ResumedFlow, cause: unknown) {
    super("the sign-in at an identity provider failed", { cause });
    this.flow = flow;
  }
}

/** A provider's own words (RFC 6749 §4.1.2.1); anybody can write them into the address. */
export interface ProviderRefusal {
  readonly error?: string;
  readonly error_description?: string;
  readonly error_uri?: string;
}

/** Sign-in through identity providers. */
export interface Federation {
  /** Sorted by id. */
  providers(): readonly ProviderSummary[];
  /**
   * Makes the secrets of a flow and the address the browser goes to. Throws `unknown_provider` (step-up: also where a sign-in proves nothing
   * fresh), `oidc_begin_failed`, `provider_not_linked` (step-up), `state_store_failed`.
   */
  start(
    provider: string,
    request: FlowRequest,
    origin: FlowOrigin,
    context: CallContext,
  ): Promise<StartedFlow>;
  /** Keeps what the form of a provider tells beside its code, the member `user`, for the flow it belongs to. */
  receiveForm(provider: string, state: string, user: string): Promise<void>;
  /** Uses the state up: the flow it belongs to. Throws `invalid_state`. */
  resume(provider: string, state: string): Promise<PendingFlow>;
  /** Notes what a provider said instead of signing somebody in. */
  providerRefused(provider: string, said: ProviderRefusal): void;
  /** Codes that stand for tokens on the way to the front end. */
  readonly results: ResultCodes;
  /** Completes a flow with the provider's answer. Throws {@link FlowFailed} around the documented codes. */
  finish(pending: PendingFlow, answer: URLSearchParams, context: CallContext): Promise<FlowResult>;
}

/** A flow between its start and its end. */
export interface PendingFlow {
  readonly flow: ResumedFlow;
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly redirectUri: string;
  readonly purpose: FlowPurpose;
  /** Name the provider's form told; blank without any. */
  readonly displayName: string;
}
