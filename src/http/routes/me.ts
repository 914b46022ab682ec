import { Type } from "typebox";
import { AuthError } from "../../contract/errors/index.ts";
import { freshSeconds } from "../../core/authentication/fresh.ts";
import type { UserPrincipal } from "../../core/authentication/principal.ts";
import type { ProfileRow } from "../../core/profile/index.ts";
import { secondFactorMembers, stepUpOptionsOf } from "../../core/step-up/options.ts";
import { renameAvailability, renameCooldownSeconds } from "../../core/users/index.ts";
import { requireUser } from "../principals.ts";
import { json, type Route, type RouteContext, route } from "../route.ts";
import { seconds } from "../wire-time.ts";

const meBody = Type.Object(
  {
    id: Type.String(),
    email: Type.Union([Type.String(), Type.Null()]),
    phone_number: Type.Union([Type.String(), Type.Null()]),
    username: Type.String(),
    email_verified: Type.Boolean(),
    phone_verified: Type.Boolean(),
    has_password: Type.Boolean(),
    roles: Type.Array(Type.String()),
    entitlements: Type.Union([Type.Array(Type.String()), Type.Null()]),
    created_at: Type.String(),
    step_up_required_for_sensitive_actions: Type.Boolean(),
    mfa_enabled: Type.Boolean(),
    mfa_satisfied: Type.Boolean(),
  },
  { $id: "Me", additionalProperties: true },
);

const walletSlug = "solana";

function optional(name: string, value: unknown): Record<string, unknown> {
  const absent = value === null || value === undefined || (Array.isArray(value) && value.length === 0);
  return absent ? {} : { [name]: value };
}

function distinct(values: readonly (string | null)[]): string[] {
  return [...new Set(values.filter((value) => value !== null))].sort();
}

/** The linked wallet of this network, with what a name service says about it. */
function walletMembers({ core, config }: RouteContext, row: ProfileRow): Record<string, unknown> {
  const issuer = `solana:${config.solana.network}`;
  const wallet = row.providers.find((link) => link.issuer === issuer);
  if (wallet === undefined) return {};
  const known = typeof wallet.profile === "object" && wallet.profile !== null ? { ...wallet.profile } : {};
  return {
    solana_address: wallet.subject,
    solana_linked_account: {
      provider: walletSlug,
      issuer: wallet.issuer,
      address: wallet.subject,
      verified: true,
      verified_at: seconds(new Date(wallet.createdAt)),
      ...core.solana.nameMembers({
        id: wallet.id,
        userId: row.id,
        address: wallet.subject,
        profile: known,
      }),
    },
  };
}

function freshnessMembers(user: UserPrincipal, now: number): Record<string, unknown> {
  if (user.authTime === undefined) return {};
  return {
    last_authenticated_at: seconds(new Date(user.authTime * 1000)),
    time_until_step_up_required: Math.max(0, user.authTime + freshSeconds - now),
  };
}

function renameMembers(renamedAt: Date | null, now: Date): Record<string, unknown> {
  const { seconds: wait, nextAllowedAt } = renameAvailability(renamedAt ?? undefined, now);
  return {
    action: "update_username",
    allowed: wait === 0,
    cooldown_seconds: renameCooldownSeconds,
    ...(nextAllowedAt === undefined
      ? {}
      : { next_allowed_at: seconds(nextAllowedAt), reason: "cooldown", retry_after_seconds: wait }),
    time_until_rename_available: wait,
  };
}

function members(context: RouteContext, user: UserPrincipal, row: ProfileRow): Record<string, unknown> {
  const { config, core } = context;
  const configured = core.federation.providers();
  const linked = distinct(row.providers.map(({ slug }) => slug));
  const options = stepUpOptionsOf(config, configured, {
    email: row.email,
    hasPassword: row.hasPassword,
    providers: linked,
    state: { enabled: row.mfaEnabled, factors: row.factors },
  });
  const discord = row.providers.find(({ slug }) => slug === "discord")?.profile;
  const now = core.clock.now();
  return {
    id: row.id,
    email: row.email,
    phone_number: row.phoneNumber,
    username: row.username ?? "",
    ...(typeof discord === "object" && discord !== null
      ? optional("discord_username", Reflect.get(discord, "username"))
      : {}),
    ...walletMembers(context, row),
    ...optional("linked_providers", linked),
    ...optional("enabled_providers", configured.map(({ id }) => id).sort()),
    email_verified: row.emailVerified,
    phone_verified: row.phoneVerified,
    has_password: row.hasPassword,
    roles: row.roles,
    entitlements: config.development.staticEntitlements ?? null,
    ...optional("biography", row.biography),
    ...optional("avatar_url", row.avatarUrl),
    ...optional("user_aliases", row.aliases),
    ...optional("preferred_language", row.preferredLanguage),
    created_at: seconds(row.createdAt),
    ...freshnessMembers(user, Math.floor(now.getTime() / 1000)),
    step_up_required_for_sensitive_actions: !core.sensitiveGate.isFresh(user),
    ...optional("step_up_methods", options.methods),
    ...optional("step_up_2fa", secondFactorMembers(options)),
    mfa_enabled: row.mfaEnabled,
    mfa_satisfied: row.mfaEnabled && row.factors.length > 0,
    ...optional("mfa_allowed_methods", row.mfaEnabled ? core.mfaStates.availableMethods() : []),
    availability: [renameMembers(row.renamedAt, now)],
  };
}

export const meRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/me",
    group: "account",
    since: "0.73",
    auth: "required",
    limit: "auth_user_me",
    summary: "The signed-in account, its links and roles, and how fresh its authentication is.",
    replies: { 200: meBody },
    errors: ["rate_limited", "unauthorized", "user_lookup_failed"],
    failure: "user_lookup_failed",
    async handle(context) {
      const user = requireUser(context);
      const row = await context.core.profiles.read(user.userId);
      if (row === undefined) throw new AuthError("unauthorized");
      return json(200, members(context, user, row));
    },
  }),
];
