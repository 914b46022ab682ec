import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import type { AdminUser } from "../../core/users/index.ts";
import { json, type Route, type RouteContext, route } from "../route.ts";
import { seconds } from "../wire-time.ts";

const nullable = Type.Union([Type.String(), Type.Null()]);

const adminUser = Type.Object(
  {
    id: Type.String(),
    email: nullable,
    phone_number: nullable,
    username: nullable,
    discord_username: Type.Null(),
    biography: nullable,
    email_verified: Type.Boolean(),
    phone_verified: Type.Boolean(),
    banned_at: Type.Optional(Type.String()),
    banned_until: Type.Optional(Type.String()),
    ban_reason: Type.Optional(Type.String()),
    banned_by: Type.Optional(Type.String()),
    deleted_at: nullable,
    last_login: nullable,
    created_at: Type.String(),
    updated_at: Type.String(),
    roles: Type.Array(Type.String()),
    removed_roles: Type.Optional(Type.Array(Type.String())),
    entitlements: Type.Union([Type.Array(Type.String()), Type.Null()]),
    avatar_url: Type.Optional(Type.String()),
    preferred_language: Type.Optional(Type.String()),
  },
  { $id: "AdminUser" },
);

function moment(name: string, at: Date | null): Record<string, string> {
  return at === null ? {} : { [name]: seconds(at) };
}

function text(name: string, value: string | null): Record<string, string> {
  return value === null ? {} : { [name]: value };
}

function adminUserMembers(user: AdminUser, context: RouteContext): Record<string, unknown> {
  return {
    id: user.id,
    email: user.email,
    phone_number: user.phoneNumber,
    username: user.username,
    discord_username: null,
    biography: user.biography,
    email_verified: user.emailVerified,
    phone_verified: user.phoneVerified,
    ...moment("banned_at", user.bannedAt),
    ...moment("banned_until", user.bannedUntil),
    ...text("ban_reason", user.banReason),
    ...text("banned_by", user.bannedBy),
    deleted_at: user.deletedAt === null ? null : seconds(user.deletedAt),
    last_login: user.lastLogin === null ? null : seconds(user.lastLogin),
    created_at: seconds(user.createdAt),
    updated_at: seconds(user.updatedAt),
    roles: user.roles,
    ...(user.removedRoles.length === 0 ? {} : { removed_roles: user.removedRoles }),
    entitlements: context.config.development.staticEntitlements ?? null,
    ...text("avatar_url", user.avatarUrl),
    ...text("preferred_language", user.preferredLanguage),
  };
}

/** A number in decimal digits; anything else is NaN, for which the directory has its default. */
function wholeNumber(digits: string | undefined): number {
  return /^[+-]?\d+$/.test(digits ?? "") ? Number(digits) : Number.NaN;
}

const read = { rootPermission: "root:resources:read" };
const optionalText = Type.Optional(Type.String());

export const adminUserRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/admin/users",
    group: "admin",
    since: "0.73",
    auth: read,
    limit: "auth_admin_user_sessions_list",
    summary: "List accounts, a page at a time.",
    query: Type.Object({
      page: optionalText,
      page_size: optionalText,
      search: optionalText,
      root_role: optionalText,
      status: optionalText,
      sort: optionalText,
      order: optionalText,
      entitlement: optionalText,
    }),
    replies: {
      200: Type.Object({
        object: Type.Literal("list"),
        data: Type.Array(adminUser),
        total: Type.Integer(),
        limit: Type.Integer(),
        offset: Type.Integer(),
        has_more: Type.Boolean(),
      }),
    },
    errors: [
      "forbidden",
      "rate_limited",
      "invalid_request",
      "entitlement_filter_unavailable",
      "failed_to_list_users",
    ],
    failure: "failed_to_list_users",
    async handle(context, { query }) {
      const page = await context.core.users.list({
        page: wholeNumber(query.page),
        pageSize: wholeNumber(query.page_size),
        search: query.search ?? "",
        role: query.root_role ?? "",
        status: query.status ?? "",
        sort: query.sort ?? "",
        descending: (query.order ?? "").toLowerCase() !== "asc",
        nullsLast: true,
        entitlement: query.entitlement ?? "",
      });
      return json(200, {
        object: "list",
        data: page.users.map((user) => adminUserMembers(user, context)),
        total: page.total,
        limit: page.limit,
        offset: page.offset,
        has_more: page.offset + page.limit < page.total,
      });
    },
  }),
  route({
    method: "GET",
    path: "/admin/users/{user_id}",
    group: "admin",
    since: "0.73",
    auth: read,
    limit: null,
    summary: "One account, deleted ones included.",
    replies: { 200: adminUser },
    errors: ["forbidden", "not_found", "database_error"],
    failure: "database_error",
    async handle(context, { params }) {
      return json(200, adminUserMembers(await target(context, params), context));
    },
  }),
  route({
    method: "GET",
    path: "/admin/users/{user_id}/signins",
    group: "admin",
    since: "0.73",
    auth: read,
    limit: null,
    summary: "The account's latest sign-ins and failed sign-ins, newest first.",
    replies: {
      200: Type.Object({ data: Type.Array(Type.Object({}, { additionalProperties: true })) }),
    },
    errors: ["forbidden", "invalid_request", "failed_to_list_signins"],
    failure: "failed_to_list_signins",
    async handle(context, { params }) {
      const userId = (params["user_id"] ?? "").trim();
      if (userId === "") throw new AuthError("invalid_request");
      const signIns = await context.core.audit.signIns(userId);
      return json(200, {
        data: signIns.map((event) => ({
          occurred_at: event.occurredAt.toISOString(),
          issuer: event.issuer,
          user_id: event.userId,
          session_id: event.sessionId,
          event: event.event,
          method: event.method,
          reason: event.reason,
          ip_addr: event.ip,
          user_agent: event.userAgent,
        })),
      });
    },
  }),
];

/** The account a path names, or `not_found`. */
export async function target(
  context: RouteContext,
  params: Readonly<Record<string, string>>,
): Promise<AdminUser> {
  try {
    return await context.core.users.adminById(params["user_id"] ?? "");
  } catch (error) {
    if (error instanceof AuthError && error.code === "user_not_found") throw new AuthError("not_found");
    throw error;
  }
}
