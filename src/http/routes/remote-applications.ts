import { Type } from "typebox";
import type { PersonaConfig } from "../../config/config.ts";
import { AuthError } from "../../contract/errors/index.ts";
import type { RemoteApplication } from "../../core/remote-applications/index.ts";
import { json, type Route, route } from "../route.ts";
import { addressed, asBrowser, needs } from "./group-access.ts";

const application = Type.Object({
  id: Type.String(),
  slug: Type.String(),
  issuer: Type.String(),
  jwks_uri: Type.String(),
  mode: Type.String(),
  enabled: Type.Boolean(),
});

const shared = {
  group: "remote_applications",
  since: "0.73",
  auth: "required",
  limit: null,
  failure: "database_error",
  personas: ({ capabilities }: PersonaConfig) => capabilities.remoteApplications,
} as const;
const errors = ["not_authenticated", "invalid_request", "forbidden", "not_found", "database_error"] as const;

function members({ id, slug, issuer, jwksUri, mode, enabled }: RemoteApplication): Record<string, unknown> {
  return { id, slug, issuer, jwks_uri: jwksUri, mode, enabled };
}

export const remoteApplicationRoutes: readonly Route[] = [
  route({
    ...shared,
    method: "GET",
    path: "/{persona}/{instance_slug}/remote-applications",
    summary: "List a group's remote applications, newest first.",
    replies: {
      200: Type.Object({
        object: Type.Literal("list"),
        persona: Type.String(),
        instance_slug: Type.String(),
        data: Type.Array(application),
      }),
    },
    errors,
    before: needs("credentials:read"),
    async handle(context, { params }) {
      const { persona, instanceSlug } = addressed(context, params);
      const { groups, remoteApplications } = context.core;
      const group = await asBrowser(context, groups.resolve({ persona, instanceSlug }));
      const found = await remoteApplications.ofGroup(group.id);
      return json(200, {
        object: "list",
        ...{ persona, instance_slug: instanceSlug },
        data: found.map(members),
      });
    },
  }),
  route({
    ...shared,
    method: "POST",
    path: "/{persona}/{instance_slug}/remote-applications",
    sensitive: true,
    summary: "Store a remote application under its issuer; one of another group is not taken over.",
    body: Type.Object({
      slug: Type.Optional(Type.String()),
      issuer: Type.Optional(Type.String()),
      jwks_uri: Type.Optional(Type.String()),
      mode: Type.Optional(Type.String()),
      public_keys: Type.Optional(
        Type.Array(Type.Object({ kid: Type.Optional(Type.String()), public_key_pem: Type.String() })),
      ),
      enabled: Type.Optional(Type.Boolean()),
    }),
    replies: { 201: application },
    errors: [...errors, "application_issuer_conflict", "application_slug_conflict"],
    before: needs("credentials:manage"),
    async handle(context, { params, body }) {
      const { persona, instanceSlug } = addressed(context, params);
      const { groups, remoteApplications } = context.core;
      const group = await asBrowser(context, groups.resolve({ persona, instanceSlug }));
      const keys = (body.public_keys ?? []).map((key) => ({
        kid: key.kid ?? "",
        publicKeyPem: key.public_key_pem,
      }));
      const statement = {
        slug: body.slug ?? "",
        issuer: body.issuer ?? "",
        jwksUri: body.jwks_uri ?? "",
        mode: body.mode ?? "",
        publicKeys: keys.length === 0 ? null : keys,
        enabled: body.enabled ?? true,
        permissionGroupId: group.id,
      };
      const stored = remoteApplications.upsert(statement, context, { ownGroupOnly: true });
      return json(201, members(await asBrowser(context, stored)));
    },
  }),
  route({
    ...shared,
    method: "DELETE",
    path: "/{persona}/{instance_slug}/remote-applications/{app}",
    summary: "Delete a remote application of the group; its tokens are refused from the next request on.",
    replies: { 200: Type.Object({ ok: Type.Literal(true), slug: Type.String() }) },
    errors,
    before: needs("credentials:manage"),
    async handle(context, { params }) {
      const { persona, instanceSlug } = addressed(context, params);
      const { groups, remoteApplications } = context.core;
      const group = await asBrowser(context, groups.resolve({ persona, instanceSlug }));
      const found = await remoteApplications.bySlug(params["app"] ?? "");
      if (found?.permissionGroupId !== group.id) throw new AuthError("not_found");
      await asBrowser(context, remoteApplications.remove(found.issuer, context));
      return json(200, { ok: true, slug: found.slug });
    },
  }),
  route({
    ...shared,
    since: "0.97",
    method: "PUT",
    path: "/{persona}/{instance_slug}/remote-applications/{app}/roles/{role}",
    summary: "Give a remote application of the group a role in it.",
    replies: {
      200: Type.Object({
        ok: Type.Literal(true),
        persona: Type.String(),
        instance_slug: Type.String(),
        app: Type.String(),
        role: Type.String(),
      }),
    },
    errors: [...errors, "cannot_remove_last_owner"],
    before: needs("credentials:manage"),
    async handle(context, { params }) {
      const { actor, persona, instanceSlug } = addressed(context, params);
      const { groups, remoteApplications } = context.core;
      const address = { persona, instanceSlug };
      const group = await asBrowser(context, groups.resolve(address));
      const found = await remoteApplications.bySlug(params["app"] ?? "");
      if (found?.permissionGroupId !== group.id) throw new AuthError("not_found");
      const role = (params["role"] ?? "").trim();
      const subject = { id: found.id, kind: "remote_application" } as const;
      const assigned = groups.assignAs(actor, address, subject, role, context, "credentials:manage");
      await asBrowser(context, assigned);
      return json(200, { ok: true, persona, instance_slug: instanceSlug, app: found.slug, role });
    },
  }),
];
