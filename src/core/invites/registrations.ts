import { AuthError } from "../../contract/errors/index.ts";
import type { Log } from "../../platform/log/port.ts";
import type { Transaction } from "../../platform/postgres/port.ts";
import { isUuid, parseNewEmail } from "../identifiers/index.ts";
import type { Messages } from "../messages/types.ts";
import type { CallContext, Platform } from "../platform.ts";
import { hashToken } from "../verification/secrets.ts";
import type { InviteParts } from "./links.ts";
import { inviteStore } from "./store.ts";
import type { RegistrationInviteRequest, RegistrationInvites } from "./types.ts";

const defaultTtl = 7 * 86_400;
const permission = "root:users:invite";
const root = { persona: "root", instanceSlug: "" } as const;

/** See {@link RegistrationInvites}. */
export function createRegistrationInvites(
  platform: Pick<Platform, "config" | "database" | "clock" | "random"> & { readonly log: Log },
  parts: InviteParts & { readonly mail: Pick<Messages, "available" | "send"> },
): RegistrationInvites {
  const { config, database, clock, random, log } = platform;
  const { groups, audit, messages, mail } = parts;

  async function assertMayInvite(userId: string): Promise<void> {
    if (!isUuid(userId) || !(await groups.can({ id: userId, kind: "user" }, permission, root)))
      throw new AuthError("insufficient_role_authority");
  }

  /** The group and role the account will have; authority over the role takes the place of the right to invite. */
  async function carriedRole(request: RegistrationInviteRequest, invitedBy: string, tx: Transaction) {
    const persona = request.persona.trim();
    const role = request.role.trim().toLowerCase();
    if (persona === "" || role === "") {
      await assertMayInvite(invitedBy);
      return undefined;
    }
    if (config.registration.mode === "closed") throw new AuthError("external_invites_disabled");
    if (!groups.catalogue.mayExist(persona, role)) throw new AuthError("role_not_assignable");
    const group = await groups.resolve({ persona, instanceSlug: request.instanceSlug });
    await groups.lock(group, tx);
    const { requiresMfa } = await groups.assertAuthority(invitedBy, group, "members:manage", role, tx);
    if (requiresMfa && config.mfa.mode !== "disabled") throw new AuthError("2fa_enrollment_required");
    return { group, role };
  }

  async function send(email: string, url: string, ttl: number, context: CallContext): Promise<void> {
    if (!mail.available("email")) return;
    try {
      await mail.send({
        kind: "account_registration_invite",
        channel: "email",
        to: email,
        language: context.language,
        url,
        ttlSeconds: ttl,
      });
    } catch (err) {
      log.warn({ err }, "an invite to register could not be mailed; its maker has the link");
    }
  }

  return {
    async create(request, context) {
      const email = parseNewEmail(request.email);
      const invitedBy = request.invitedBy.trim().toLowerCase();
      if (invitedBy === "") throw new AuthError("invalid_invite");
      const ttl = request.ttlSeconds <= 0 ? defaultTtl : request.ttlSeconds;
      const [id, code, at] = [random.uuid(), random.token(32), clock.now()];
      const expiresAt = new Date(Math.min(at.getTime() + ttl * 1000, 8.64e15));
      const carried = await database.transaction(async (tx) => {
        const carried = await carriedRole(request, invitedBy, tx);
        await inviteStore.insertRegistration(tx, {
          ...{ id, email, invitedBy, codeHash: hashToken(code), expiresAt, at },
          groupId: carried?.group.id ?? null,
          role: carried?.role ?? null,
        });
        await audit.record(
          {
            action: "invite.created",
            target: `registration_invite:${id}`,
            outcome: "ok",
            details: carried === undefined ? {} : { group: carried.group.id, role: carried.role },
          },
          context,
          tx,
        );
        return carried;
      });
      const url = messages.link("invite", { account_invite_token: code });
      if (request.silent !== true) await send(email, url, Math.min(ttl, 365 * 86_400), context);
      return {
        ...{ id, code, url, email, expiresAt },
        persona: carried?.group.persona ?? "",
        instanceSlug: carried?.group.instanceSlug ?? "",
        role: carried?.role ?? "",
      };
    },

    async revoke(givenId, givenActor, context) {
      const [id, actor] = [givenId.trim().toLowerCase(), givenActor.trim().toLowerCase()];
      if (id === "" || actor === "") throw new AuthError("invalid_invite");
      await assertMayInvite(actor);
      await database.transaction(async (tx) => {
        if (!isUuid(id) || !(await inviteStore.revokeRegistration(tx, id, clock.now())))
          throw new AuthError("account_registration_invite_not_found");
        const target = `registration_invite:${id}`;
        await audit.record({ action: "invite.revoked", target, outcome: "ok" }, context, tx);
      });
    },
  };
}
