import { generateKeyPairSync } from "node:crypto";
import { expect } from "vitest";
import type { JsonValue } from "../../../src/client/index.ts";
import { type Cases, nobody, type World } from "./case.ts";
import { found, org, slugOf } from "./group-cases.ts";

const nowhere = { persona: "org", instanceSlug: "no-such-group" };
const tomorrow = (): Date => new Date(Date.now() + 86_400_000);

/** Tells what a case made to the call that needs it. */
const made = new Map<string, string>();

async function newKey(
  world: World,
  expiresAt: Date | null = null,
): Promise<{ keyId: string; secret: string }> {
  await found(world);
  const { apiKey, key } = await world.client.mintApiKey({
    ...{ ...org(world), name: "ci", role: "member", createdBy: world.userId, expiresAt },
  });
  made.set(`${world.tag} key`, apiKey.id);
  made.set(`${world.tag} secret`, key.slice(key.lastIndexOf("_") + 1));
  made.set(`${world.tag} keyId`, apiKey.keyId);
  return presented(world);
}

const presented = ({ tag }: World) => ({
  keyId: made.get(`${tag} keyId`) ?? "",
  secret: made.get(`${tag} secret`) ?? "",
});

async function clerk(world: World): Promise<void> {
  await found(world);
  await world.client.assignGroupRole({
    ...org(world),
    subjectId: world.otherId,
    subjectKind: "user",
    role: "keeper",
  });
}

type Change = Partial<{ name: string; role: string; createdBy: string; expiresAt: Date | null }>;
const wish = (world: World, change: Change = {}) => ({
  ...{ name: "ci", role: "member", createdBy: world.userId, expiresAt: tomorrow() },
  ...change,
});

/** The refusals of minting, whichever way it is asked for. */
function mintErrors<T>(args: (world: World, change?: Change, address?: object) => T) {
  return {
    insufficient_role_authority: async (world: World) =>
      args(await found(world), { createdBy: world.otherId }),
    invalid_expiry: async (world: World) => args(await found(world), { expiresAt: new Date(0) }),
    invalid_role: async (world: World) => args(await found(world), { role: " " }),
    missing_name: async (world: World) => args(await found(world), { name: " " }),
    permission_group_not_found: (world: World) => args(world, {}, nowhere),
    role_assignment_escalation: async (world: World) => {
      await clerk(world);
      return args(world, { createdBy: world.otherId, role: "writer" });
    },
    role_not_assignable: async (world: World) => {
      const studio = { persona: "studio", instanceSlug: slugOf(world) };
      const req = { ...studio, ownerSubjectId: world.userId };
      await world.client.createPermissionGroup({ req }).catch(() => undefined);
      return args(world, { role: "king" }, studio);
    },
    unknown_role: async (world: World) => args(await found(world), { role: "king" }),
  };
}

const mint = (world: World, change?: Change, address: object = {}) => ({
  ...org(world),
  ...wish(world, change),
  ...address,
});
const mintWith = (world: World, change?: Change, address: object = {}) => ({
  ...org(world),
  opts: wish(world, change),
  ...address,
});

const resolveErrors = {
  invalid_token: async (world: World) => ({ ...(await newKey(world)), secret: "x".repeat(43) }),
  token_expired: async (world: World) => {
    const key = await newKey(world, new Date(Date.now() + 300));
    await new Promise((resolve) => setTimeout(resolve, 500));
    return key;
  },
  token_revoked: async (world: World) => {
    const key = await newKey(world);
    await world.client.revokeApiKey({ ...org(world), tokenId: made.get(`${world.tag} key`) ?? "" });
    return key;
  },
};

const { publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
const publicKeyPem = String(publicKey.export({ format: "pem", type: "spki" }));
const issuerOf = ({ tag }: World): string => `https://${tag}.example`;

/** An application of the root group. */
const statement = async (world: World, change: object = {}) => ({
  in: {
    ...{ slug: `app-${world.tag}`, issuer: issuerOf(world), publicKeys: [{ publicKeyPem }], enabled: true },
    ...{ permissionGroupId: made.get("root") ?? (await root(world)) },
    ...change,
  },
});

async function root({ client }: World): Promise<string> {
  const id = await client.ensureRootGroup();
  made.set("root", id);
  return id;
}

async function newApplication(world: World): Promise<void> {
  const { id } = await world.client.upsertRemoteApplication(await statement(world));
  made.set(`${world.tag} app`, id);
}

const envelope = (change: object = {}) => ({
  envelope: { iss: "", aud: ["reader"], type: "example.catalog/v1", payload: { plans: ["free"] }, ...change },
});

/** API keys, remote applications and signed documents. */
export const machineCases: Cases = {
  mintApiKey: {
    before: found,
    args: (world) => mint(world),
    check: ({ apiKey, key }) => {
      expect(key).toMatch(/^st_[0-9A-Za-z]{16}_[0-9A-Za-z]{43}$/);
      expect(apiKey).toMatchObject({ name: "ci", role: "member", permissions: ["org:members:read"] });
    },
    errors: mintErrors(mint),
  },
  mintApiKeyWithOptions: {
    before: found,
    args: (world) => mintWith(world),
    check: ({ apiKey }, { userId }) => expect(apiKey.createdBy).toBe(userId),
    errors: mintErrors(mintWith),
  },
  listApiKeys: {
    before: newKey,
    args: org,
    check: (keys, world) => expect(keys?.map(({ id }) => id)).toEqual([made.get(`${world.tag} key`)]),
    errors: { permission_group_not_found: () => nowhere },
  },
  revokeApiKey: {
    before: newKey,
    args: (world) => ({ ...org(world), tokenId: made.get(`${world.tag} key`) ?? "" }),
    check: (revoked) => expect(revoked).toBe(true),
    errors: { permission_group_not_found: () => ({ ...nowhere, tokenId: nobody }) },
  },
  resolveApiKey: {
    before: newKey,
    args: presented,
    check: ({ permissions }) => expect(permissions).toEqual(["org:members:read"]),
    errors: resolveErrors,
  },
  resolveApiKeyDetailed: {
    before: newKey,
    args: presented,
    check: (found, world) =>
      expect(found).toMatchObject({
        role: "member",
        keyId: made.get(`${world.tag} keyId`),
        apiKeyId: made.get(`${world.tag} key`),
      }),
    errors: resolveErrors,
  },
  upsertRemoteApplication: {
    before: root,
    args: (world) => ({
      in: {
        ...{
          slug: `app-${world.tag}`,
          issuer: issuerOf(world),
          publicKeys: [{ publicKeyPem }],
          enabled: true,
        },
        permissionGroupId: made.get("root") ?? "",
      },
    }),
    check: (stored, world) =>
      expect(stored).toMatchObject({ slug: `app-${world.tag}`.toLowerCase(), mode: "static" }),
    errors: {
      invalid_remote_application: (world) => statement(world, { slug: " " }),
      reserved_issuer: (world) => statement(world, { issuer: made.get("issuer") ?? "" }),
    },
  },
  getRemoteApplication: {
    before: newApplication,
    args: (world) => ({ issuer: issuerOf(world) }),
    check: ({ id }, world) => expect(id).toBe(made.get(`${world.tag} app`)),
    errors: {
      invalid_remote_application: () => ({ issuer: " " }),
      remote_application_not_found: () => ({ issuer: "https://nobody.example" }),
    },
  },
  listRemoteApplications: {
    before: newApplication,
    args: () => ({ activeOnly: true }),
    check: (list, world) => expect(list?.map(({ id }) => id)).toContain(made.get(`${world.tag} app`)),
  },
  deleteRemoteApplication: {
    before: newApplication,
    args: (world) => ({ issuer: issuerOf(world) }),
    check: async (_, world) =>
      expect(
        await world.client.getRemoteApplication({ issuer: issuerOf(world) }).catch((error) => error.code),
      ).toBe("remote_application_not_found"),
    errors: {
      invalid_remote_application: () => ({ issuer: "" }),
      remote_application_not_found: () => ({ issuer: "https://nobody.example" }),
    },
  },
  resolveRemoteApplicationAuthority: {
    before: newApplication,
    args: (world) => ({ appId: made.get(`${world.tag} app`) ?? "" }),
    check: (authority) => expect(authority).toEqual([]),
    errors: {
      invalid_remote_application: () => ({ appId: "" }),
      remote_application_not_found: () => ({ appId: nobody }),
    },
  },
  registerRemoteAppAttributeDef: {
    before: newApplication,
    args: (world) => tier(world, 0, { name: "gold", seats: 5 }),
    check: async (stored, world) => {
      const first = {
        remoteApplicationId: made.get(`${world.tag} app`),
        ...{ key: "tier", version: 1, definition: { name: "gold", seats: 5 } },
      };
      expect(stored).toEqual(first);
      const { client } = world;
      await client.registerRemoteAppAttributeDef(tier(world, 3, ["gold"]));
      await client.registerRemoteAppAttributeDef(tier(world, 3, "silver"));
      const of = { appId: stored.remoteApplicationId, key: "tier" };
      const third = { ...first, version: 3, definition: "silver" };
      expect(await client.resolveRemoteAppAttributeDef({ ...of, version: 0 })).toEqual(third);
      expect(await client.resolveRemoteAppAttributeDef({ ...of, version: 1 })).toEqual(first);
      expect(await client.listRemoteAppAttributeDefs(of)).toEqual([first, third]);
    },
    errors: {
      invalid_attribute_def: () => ({ appId: nobody, key: "no key", version: 1, definition: {} }),
      remote_application_not_found: () => ({ appId: nobody, key: "tier", version: 1, definition: {} }),
    },
  },
  listRemoteAppAttributeDefs: {
    before: newApplication,
    args: (world) => ({ appId: made.get(`${world.tag} app`) ?? "" }),
    check: (list) => expect(list).toEqual([]),
    errors: {
      invalid_attribute_def: () => ({ appId: " " }),
      remote_application_not_found: () => ({ appId: nobody }),
    },
  },
  deleteRemoteAppAttributeDef: {
    before: async (world) => {
      await newApplication(world);
      await world.client.registerRemoteAppAttributeDef(tier(world, 1, true));
      await world.client.registerRemoteAppAttributeDef(tier(world, 2, false));
    },
    args: (world) => ({ appId: made.get(`${world.tag} app`) ?? "", key: "tier" }),
    check: async (_, world) => {
      const appId = made.get(`${world.tag} app`) ?? "";
      expect(await world.client.listRemoteAppAttributeDefs({ appId })).toEqual([]);
    },
    errors: {
      attribute_def_not_found: () => ({ appId: nobody, key: "tier" }),
      invalid_attribute_def: () => ({ appId: nobody, key: " " }),
    },
  },
  resolveRemoteAppAttributeDef: {
    before: async (world) => {
      await newApplication(world);
      await world.client.registerRemoteAppAttributeDef(tier(world, 2, { name: "gold" }));
    },
    args: (world) => ({ appId: made.get(`${world.tag} app`) ?? "", key: "tier", version: 0 }),
    check: ({ version, definition }) => expect([version, definition]).toEqual([2, { name: "gold" }]),
    errors: {
      invalid_attribute_def: () => ({ appId: "", key: "tier", version: 0 }),
      attribute_def_not_found: () => ({ appId: nobody, key: "tier", version: 0 }),
    },
  },
  signDocument: {
    args: () => envelope(),
    check: ({ jws, reference }) => {
      expect(reference.digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(jws.split(".")).toHaveLength(3);
    },
    errors: {
      document_issuer_mismatch: () => envelope({ iss: "https://elsewhere.example" }),
      invalid_document_envelope: () => envelope({ aud: [] }),
      document_payload_too_large: () => envelope({ payload: { text: "<".repeat(200_000) } }),
    },
    unreachable: {
      document_digest_collision: "needs two documents with one SHA-256",
      missing_signer: "the deployment has a signing key",
      unsupported_document_signer: "every algorithm of the key ring can sign documents",
    },
  },
};

const tier = (world: World, version: number, definition: JsonValue) => ({
  appId: made.get(`${world.tag} app`) ?? "",
  ...{ key: "tier", version, definition },
});

/** Tells the cases the deployment's own issuer. */
export function knowIssuer(issuer: string): void {
  made.set("issuer", issuer);
}
