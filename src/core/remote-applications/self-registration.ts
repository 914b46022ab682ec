import { AuthError } from "../../contract/errors/index.ts";
import { ConstraintViolation, type Transaction } from "../../platform/postgres/port.ts";
import type { Audit, AuditAction } from "../audit/index.ts";
import type { Groups } from "../groups/index.ts";
import { isStorable } from "../identifiers/index.ts";
import type { CallContext, Platform } from "../platform.ts";
import { type ApplicationDocument, fetchApplicationDocument, statedTrust } from "./application-document.ts";
import { type ApplicationDomain, parseDomain } from "./domain.ts";
import { registrationStore } from "./registration-store.ts";
import { verifySignedRequest } from "./signed-request.ts";
import { applicationStore } from "./store.ts";
import type { RemoteApplication } from "./types.ts";

/** An application and the group it owns. */
export interface RegisteredApplication {
  readonly application: RemoteApplication;
  readonly persona: string;
  readonly instanceSlug: string;
  readonly created: boolean;
}

/** Applications that register and look after themselves, each rooted in a domain whose document it controls (spec 11 §E.5). */
export interface SelfRegistration {
  /**
   * Registers the application of a domain, or brings it up to date. One an operator has disabled stays so. Throws
   * `application_domain_invalid`, `application_document_fetch_failed`, `application_document_invalid`,
   * `application_registration_disabled`, `application_slug_conflict`, `application_issuer_conflict`, `application_domain_conflict`.
   */
  register(domain: string, context: CallContext): Promise<RegisteredApplication>;
  /**
   * Replaces an application's keys, as a request says that the present ones have signed. Throws `not_found`,
   * `application_signature_invalid`, `application_signature_stale`, `application_document_invalid`.
   */
  rotate(slug: string, jws: string, context: CallContext): Promise<RemoteApplication>;
  /** Roots an application in another domain. Throws what the other two do, and `application_not_domain_rooted`. */
  repoint(slug: string, jws: string, context: CallContext): Promise<RegisteredApplication>;
  /** Throws `application_tier_invalid`, `not_found`. */
  setTier(slug: string, tier: string, context: CallContext): Promise<RemoteApplication>;
}

export interface SelfRegistrationParts {
  readonly groups: Pick<Groups, "create" | "assignIn" | "ensureRoot" | "resolve">;
  readonly audit: Audit;
}

const tiers = ["registered", "approved"];

function conflict(error: unknown): unknown {
  if (error instanceof ConstraintViolation && error.kind === "unique") {
    if (error.constraint.includes("domain"))
      return new AuthError("application_domain_conflict", { cause: error });
    if (error.constraint.includes("issuer"))
      return new AuthError("application_issuer_conflict", { cause: error });
    return new AuthError("application_slug_conflict", { cause: error });
  }
  if (error instanceof AuthError && error.code === "group_slug_taken")
    return new AuthError("application_slug_conflict", { cause: error });
  return error;
}

/** See {@link SelfRegistration}. */
export function createSelfRegistration(
  platform: Pick<Platform, "config" | "database" | "ephemeral" | "outbound" | "clock" | "random" | "log">,
  { groups, audit }: SelfRegistrationParts,
): SelfRegistration {
  const { config, database, clock, random } = platform;
  const rules = {
    ownIssuer: config.issuer,
    allowPrivate: config.environment.class === "development",
  };
  const persona = String(config.applications.options["orgPersona"] ?? "");

  async function record(
    action: AuditAction,
    id: string,
    details: Record<string, string>,
    context: CallContext,
    tx: Transaction,
  ) {
    await audit.record({ action, target: `remote_application:${id}`, outcome: "ok", details }, context, tx);
  }

  async function bySlug(slug: string): Promise<RemoteApplication> {
    const found = isStorable(slug)
      ? await applicationStore.bySlug(database, slug.trim().toLowerCase())
      : undefined;
    if (found === undefined) throw new AuthError("not_found");
    return found;
  }

  async function registered(slug: string, created: boolean): Promise<RegisteredApplication> {
    const application = await bySlug(slug);
    const group = await applicationStore.owner(database, application.id);
    if (group === undefined) throw new AuthError("not_found");
    return { application, persona: group.persona, instanceSlug: group.instanceSlug, created };
  }

  async function make(
    domain: ApplicationDomain,
    document: ApplicationDocument,
    context: CallContext,
    tx: Transaction,
  ) {
    if ((await applicationStore.bySlug(tx, document.slug)) !== undefined)
      throw new AuthError("application_slug_conflict");
    const group = await groups.create(
      {
        ...{ persona, instanceSlug: document.slug, displayName: document.displayName },
        ...{ parentPersona: "root", parentInstanceSlug: "", ownerSubjectId: "", ownerSubjectKind: "" },
      },
      context,
      tx,
    );
    const id = random.uuid();
    await registrationStore.insert(tx, { id, groupId: group.id, domain: domain.name }, document, clock.now());
    await groups.assignIn(tx, group, { id, kind: "remote_application" }, "owner", context);
    await record("application.registered", id, { slug: document.slug, domain: domain.name }, context, tx);
  }

  async function refresh(
    action: AuditAction,
    id: string,
    slug: string,
    domain: ApplicationDomain,
    document: ApplicationDocument,
    context: CallContext,
    tx: Transaction,
  ) {
    await registrationStore.refresh(tx, id, domain.name, document, clock.now());
    const details = { slug, domain: domain.name, issuer: document.issuer };
    await record(action, id, details, context, tx);
  }

  return {
    async register(text, context) {
      const domain = parseDomain(text, rules);
      const document = await fetchApplicationDocument(platform, domain, rules, context.signal);
      await groups.ensureRoot();
      try {
        const { slug, created } = await database.transaction(async (tx) => {
          const present = await registrationStore.lockDomain(tx, domain.name);
          if (present === undefined) {
            await make(domain, document, context, tx);
            return { slug: document.slug, created: true };
          }
          if (!present.enabled) throw new AuthError("application_registration_disabled");
          await refresh("application.registered", present.id, present.slug, domain, document, context, tx);
          const owner = await applicationStore.owner(tx, present.id);
          if (owner !== undefined) {
            const group = { id: present.permissionGroupId, displayName: "", ...owner };
            await groups.assignIn(
              tx,
              group,
              { id: present.id, kind: "remote_application" },
              "owner",
              context,
            );
          }
          return { slug: present.slug, created: false };
        });
        return await registered(slug, created);
      } catch (error) {
        throw conflict(error);
      }
    },

    async rotate(slug, jws, context) {
      const application = await bySlug(slug);
      const payload = await verifySignedRequest(platform, application, "rotate", jws);
      const trust = statedTrust(payload, rules);
      await database.transaction(async (tx) => {
        const held = await registrationStore.lockSlug(tx, application.slug);
        if (held?.id !== application.id || !held.enabled)
          throw new AuthError("application_signature_invalid");
        await registrationStore.setTrust(tx, application.id, trust, clock.now());
        await record(
          "application.rotated",
          application.id,
          { slug: application.slug, mode: trust.mode },
          context,
          tx,
        );
      });
      return bySlug(application.slug);
    },

    async repoint(slug, jws, context) {
      const application = await bySlug(slug);
      if (application.domain === "") throw new AuthError("application_not_domain_rooted");
      const payload = await verifySignedRequest(platform, application, "repoint", jws);
      const domain = parseDomain(String(payload["domain"] ?? ""), rules);
      if (domain.name === application.domain) throw new AuthError("application_domain_invalid");
      const document = await fetchApplicationDocument(platform, domain, rules, context.signal);
      try {
        await database.transaction(async (tx) => {
          const held = await registrationStore.lockSlug(tx, application.slug);
          if (held?.domain !== application.domain || !held.enabled)
            throw new AuthError("application_signature_invalid");
          await refresh(
            "application.repointed",
            application.id,
            application.slug,
            domain,
            document,
            context,
            tx,
          );
        });
      } catch (error) {
        throw conflict(error);
      }
      return registered(application.slug, false);
    },

    async setTier(slug, text, context) {
      const tier = text.trim();
      if (!tiers.includes(tier)) throw new AuthError("application_tier_invalid");
      const { slug: name } = await bySlug(slug);
      await database.transaction(async (tx) => {
        const changed = await registrationStore.setTier(tx, name, tier, clock.now());
        if (changed === undefined) throw new AuthError("not_found");
        await record("application.tier_set", changed.id, { slug: name, tier }, context, tx);
      });
      return bySlug(name);
    },
  };
}
