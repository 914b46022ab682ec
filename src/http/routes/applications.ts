import { Type } from "typebox";
import type { Config } from "../../config/config.ts";
import type { RegisteredApplication, RemoteApplication } from "../../core/remote-applications/index.ts";
import { json, type Reply, type Route, route } from "../route.ts";
import { seconds } from "../wire-time.ts";

const application = Type.Object({
  id: Type.String(),
  slug: Type.String(),
  display_name: Type.String(),
  issuer: Type.String(),
  mode: Type.String(),
  jwks_uri: Type.String(),
  tier: Type.String(),
  trust_root: Type.String(),
  domain: Type.String(),
  enabled: Type.Boolean(),
  document_endpoint: Type.String(),
  created_at: Type.String(),
  updated_at: Type.String(),
  root_verified_at: Type.Optional(Type.String()),
});
const applicationBody = Type.Object({ application });
const registeredBody = Type.Object({
  application,
  org: Type.Object({ persona: Type.String(), instance_slug: Type.String() }),
  created: Type.Boolean(),
});
const jws = Type.Object({ jws: Type.String({ minLength: 1 }) });

function members(of: RemoteApplication): Record<string, unknown> {
  const { id, slug, issuer, mode, tier, domain, enabled } = of;
  return {
    ...{
      id,
      slug,
      display_name: of.displayName,
      issuer,
      mode,
      jwks_uri: of.jwksUri,
      tier,
      trust_root: of.trustRoot,
    },
    ...{ domain, enabled, document_endpoint: of.documentEndpoint },
    ...{ created_at: seconds(of.createdAt), updated_at: seconds(of.updatedAt) },
    ...(of.rootVerifiedAt === null ? {} : { root_verified_at: seconds(of.rootVerifiedAt) }),
  };
}

function registered({ application: of, persona, instanceSlug, created }: RegisteredApplication): Reply {
  return json(created ? 201 : 200, {
    application: members(of),
    org: { persona, instance_slug: instanceSlug },
    created,
  });
}

const selfRegistration = {
  method: "POST",
  group: "applications",
  since: "0.97",
  auth: "none",
  failure: "database_error",
  enabled: ({ applications }: Config) => applications.selfRegistration,
} as const;
const signed = [
  "rate_limited",
  "invalid_request",
  "application_document_invalid",
  "application_signature_stale",
] as const;
const refused = ["application_signature_invalid", "database_error"] as const;

/** Applications that register and look after themselves (spec 11 §E.5). */
export const applicationRoutes: readonly Route[] = [
  route({
    ...selfRegistration,
    path: "/applications/register",
    limit: "application_register",
    summary:
      "Register the application of a domain, as its document there describes it, or bring it up to date.",
    body: Type.Object({ domain: Type.String({ minLength: 1 }) }),
    replies: { 200: registeredBody, 201: registeredBody },
    errors: [
      "rate_limited",
      "invalid_request",
      "application_domain_invalid",
      "application_document_invalid",
      "application_registration_disabled",
      "application_slug_conflict",
      "application_issuer_conflict",
      "application_domain_conflict",
      "application_document_fetch_failed",
      "database_error",
    ],
    async handle(context, { body }) {
      await context.limit("application_register", body.domain);
      return registered(await context.core.selfRegistration.register(body.domain, context));
    },
  }),
  route({
    ...selfRegistration,
    path: "/applications/{slug}/rotate",
    limit: "application_rotate",
    summary: "Replace an application's keys by a request its present key has signed.",
    body: jws,
    replies: { 200: applicationBody },
    errors: [...signed, ...refused, "not_found"],
    async handle(context, { params, body }) {
      const slug = params["slug"] ?? "";
      await context.limit("application_rotate", slug);
      return json(200, {
        application: members(await context.core.selfRegistration.rotate(slug, body.jws, context)),
      });
    },
  }),
  route({
    ...selfRegistration,
    path: "/applications/{slug}/repoint",
    limit: "application_rotate",
    summary: "Root an application in another domain by a request its present key has signed.",
    body: jws,
    replies: { 200: registeredBody },
    errors: [
      ...signed,
      ...refused,
      "not_found",
      "application_domain_invalid",
      "application_not_domain_rooted",
      "application_domain_conflict",
      "application_issuer_conflict",
      "application_document_fetch_failed",
    ],
    async handle(context, { params, body }) {
      const slug = params["slug"] ?? "";
      await context.limit("application_rotate", slug);
      return registered(await context.core.selfRegistration.repoint(slug, body.jws, context));
    },
  }),
  route({
    method: "POST",
    path: "/admin/applications/{slug}/tier",
    group: "admin",
    since: "0.97",
    auth: { rootPermission: "root:credentials:manage" },
    limit: null,
    failure: "database_error",
    summary: "Set the tier of an application: registered or approved.",
    body: Type.Object({ tier: Type.String() }),
    replies: { 200: applicationBody },
    errors: ["forbidden", "invalid_request", "application_tier_invalid", "not_found", "database_error"],
    async handle(context, { params, body }) {
      const of = await context.core.selfRegistration.setTier(params["slug"] ?? "", body.tier, context);
      return json(200, { application: members(of) });
    },
  }),
];
