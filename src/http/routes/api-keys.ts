import { Type } from "typebox";
import type { PersonaConfig } from "../../config/config.ts";
import { AuthError } from "../../contract/errors/index.ts";
import type { ApiKeyRecord } from "../../core/api-keys/index.ts";
import { json, type Route, route } from "../route.ts";
import { addressed, asBrowser, needs } from "./group-access.ts";

const listed = Type.Object({
  id: Type.String(),
  key_id: Type.String(),
  name: Type.String(),
  role: Type.String(),
  permissions: Type.Array(Type.String()),
  created_at: Type.String(),
  last_used_at: Type.Optional(Type.String()),
  expires_at: Type.Optional(Type.String()),
  revoked_at: Type.Optional(Type.String()),
});

const shared = {
  group: "api_keys",
  since: "0.73",
  auth: "required",
  limit: null,
  failure: "database_error",
  personas: ({ capabilities }: PersonaConfig) => capabilities.apiKeys,
} as const;
const errors = ["not_authenticated", "invalid_request", "forbidden", "not_found", "database_error"] as const;

function moment(name: string, at: Date | null): Record<string, string> {
  return at === null ? {} : { [name]: at.toISOString() };
}

function members(key: ApiKeyRecord): Record<string, unknown> {
  return {
    ...{ id: key.id, key_id: key.keyId, name: key.name, role: key.role, permissions: key.permissions },
    created_at: key.createdAt.toISOString(),
    ...moment("last_used_at", key.lastUsedAt),
    ...moment("expires_at", key.expiresAt),
    ...moment("revoked_at", key.revokedAt),
  };
}

function parseExpiry(text: string | null | undefined): Date | null {
  if (text === null || text === undefined) return null;
  const at = new Date(
    /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/.test(text) ? text : "",
  );
  if (Number.isNaN(at.getTime())) throw new AuthError("invalid_request");
  return at;
}

export const apiKeyRoutes: readonly Route[] = [
  route({
    ...shared,
    method: "GET",
    path: "/{persona}/{instance_slug}/api-keys",
    summary: "List a group's API keys, newest first; never their secrets.",
    replies: {
      200: Type.Object({
        object: Type.Literal("list"),
        persona: Type.String(),
        instance_slug: Type.String(),
        data: Type.Array(listed),
      }),
    },
    errors,
    before: needs("credentials:read"),
    async handle(context, { params }) {
      const { persona, instanceSlug } = addressed(context, params);
      const keys = await asBrowser(context, context.core.apiKeys.list({ persona, instanceSlug }));
      return json(200, {
        object: "list",
        ...{ persona, instance_slug: instanceSlug },
        data: keys.map(members),
      });
    },
  }),
  route({
    ...shared,
    method: "POST",
    path: "/{persona}/{instance_slug}/api-keys",
    sensitive: true,
    summary: "Make an API key with one role of the group; the secret is told this once.",
    body: Type.Object({
      name: Type.Optional(Type.String()),
      role: Type.Optional(Type.String()),
      expires_at: Type.Optional(Type.Union([Type.String(), Type.Null()])),
    }),
    replies: {
      201: Type.Object({
        id: Type.String(),
        key_id: Type.String(),
        name: Type.String(),
        role: Type.String(),
        permissions: Type.Array(Type.String()),
        secret: Type.String({ description: "The whole key, as it goes into `Authorization: Bearer`." }),
        expires_at: Type.Optional(Type.String()),
      }),
    },
    errors,
    before: needs("credentials:manage"),
    async handle(context, { params, body }) {
      const { actor, persona, instanceSlug } = addressed(context, params);
      const request = {
        name: body.name ?? "",
        role: body.role ?? "",
        createdBy: actor,
        expiresAt: parseExpiry(body.expires_at),
      };
      const minted = context.core.apiKeys.mint({ persona, instanceSlug }, request, context);
      const { key, text } = await asBrowser(context, minted);
      return json(201, {
        ...{ id: key.id, key_id: key.keyId, name: key.name, role: key.role, permissions: key.permissions },
        secret: text,
        ...moment("expires_at", key.expiresAt),
      });
    },
  }),
  route({
    ...shared,
    method: "DELETE",
    path: "/{persona}/{instance_slug}/api-keys/{key}",
    summary: "Revoke an API key; it is refused from the next request on.",
    replies: { 200: Type.Object({ ok: Type.Literal(true), id: Type.String() }) },
    errors,
    before: needs("credentials:manage"),
    async handle(context, { params }) {
      const { persona, instanceSlug } = addressed(context, params);
      const id = (params["key"] ?? "").trim();
      const revoked = context.core.apiKeys.revoke({ persona, instanceSlug }, id, context);
      if (!(await asBrowser(context, revoked))) throw new AuthError("not_found");
      return json(200, { ok: true, id });
    },
  }),
];
