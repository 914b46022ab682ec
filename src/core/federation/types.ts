/** A configured identity provider as clients see it. */
export interface ProviderSummary {
  readonly id: string;
  readonly name: string;
  readonly kind: "oidc" | "oauth2";
}

/** Sign-in through identity providers. */
export interface Federation {
  /** Sorted by id. */
  providers(): readonly ProviderSummary[];
}
