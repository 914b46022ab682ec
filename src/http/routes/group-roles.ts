import { Type } from "typebox";
import type { PersonaConfig } from "../../config/config.ts";
import { AuthError } from "../../contract/errors/index.ts";
import { json, type Route, route } from "../route.ts";
import { addressed, asBrowser, needs } from "./group-access.ts";

const shared = {
  group: "permission_groups",
  since: "0.73",
  auth: "required",
  limit: null,
  failure: "database_error",
} as const;
const customRoles = ({ capabilities }: PersonaConfig): boolean => capabilities.customRoles;
const errors = ["not_authenticated", "invalid_request", "forbidden", "not_found", "database_error"] as const;

/** Roles of a group: those its persona declares, and those it has defined for itself. */
export const groupRoleRoutes: readonly Route[] = [
  route({
    ...shared,
    method: "GET",
    path: "/{persona}/{instance_slug}/roles",
    personas: (persona) => persona.name !== "root" || customRoles(persona),
    summary: "List the roles there are in a group and what they grant.",
    replies: {
      200: Type.Object({
        object: Type.Literal("list"),
        persona: Type.String(),
        data: Type.Array(
          Type.Object({
            name: Type.String(),
            permissions: Type.Array(Type.String()),
            custom: Type.Optional(Type.Literal(true)),
            requires_mfa: Type.Optional(Type.Literal(true)),
          }),
        ),
      }),
    },
    errors,
    before: needs("roles:read"),
    async handle(context, { params }) {
      const { persona, instanceSlug } = addressed(context, params);
      const { groups } = context.core;
      const declared = groups.catalogue.persona(persona)?.roles ?? [];
      const custom = await asBrowser(context, groups.customRoles.list({ persona, instanceSlug }));
      const names = new Set(declared.map(({ name }) => name));
      return json(200, {
        object: "list",
        persona,
        data: [
          ...declared.map((role) => ({ role, extra: {} })),
          ...custom.filter(({ name }) => !names.has(name)).map((role) => ({ role, extra: { custom: true } })),
        ].map(({ role, extra }) => ({
          name: role.name,
          permissions: role.permissions,
          ...extra,
          ...(role.requiresMfa ? { requires_mfa: true } : {}),
        })),
      });
    },
  }),
  route({
    ...shared,
    method: "POST",
    path: "/{persona}/{instance_slug}/roles",
    personas: customRoles,
    summary: "Define a role of the group, or replace one; its holders have the new grants at once.",
    body: Type.Object({
      role: Type.Optional(Type.String()),
      permissions: Type.Optional(Type.Array(Type.String())),
      requires_mfa: Type.Optional(Type.Boolean()),
    }),
    replies: {
      201: Type.Object({
        persona: Type.String(),
        instance_slug: Type.String(),
        role: Type.String(),
        permissions: Type.Array(Type.String()),
        requires_mfa: Type.Optional(Type.Boolean()),
      }),
    },
    errors,
    before: needs("roles:manage"),
    async handle(context, { params, body }) {
      const { actor, persona, instanceSlug } = addressed(context, params);
      const { permissions, role: name = "", requires_mfa: requiresMfa } = body;
      if (permissions === undefined || name.trim() === "") throw new AuthError("invalid_request");
      const role = { name, permissions, requiresMfa: requiresMfa ?? false };
      const { customRoles: roles } = context.core.groups;
      await asBrowser(context, roles.define(actor, { persona, instanceSlug }, role, context));
      return json(201, {
        ...{ persona, instance_slug: instanceSlug, role: name.trim(), permissions },
        ...(requiresMfa === undefined ? {} : { requires_mfa: requiresMfa }),
      });
    },
  }),
  route({
    ...shared,
    method: "DELETE",
    path: "/{persona}/{instance_slug}/roles/{role}",
    personas: customRoles,
    summary: "Delete a role of the group; also a success when there is none.",
    replies: {
      200: Type.Object({
        ok: Type.Literal(true),
        persona: Type.String(),
        instance_slug: Type.String(),
        role: Type.String(),
      }),
    },
    errors,
    before: needs("roles:manage"),
    async handle(context, { params }) {
      const { actor, persona, instanceSlug } = addressed(context, params);
      const role = (params["role"] ?? "").trim();
      const { customRoles: roles } = context.core.groups;
      await asBrowser(context, roles.remove(actor, { persona, instanceSlug }, role, context));
      return json(200, { ok: true, persona, instance_slug: instanceSlug, role });
    },
  }),
];
