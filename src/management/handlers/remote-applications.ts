import type {
  RemoteAppAttributeDef,
  RemoteApplication as RemoteApplicationDto,
} from "../../contract/dtos/index.ts";
import { zeroTime } from "../../contract/time.ts";
import type { AttributeDefinition, RemoteApplication } from "../../core/remote-applications/index.ts";
import type { HandlerFactory } from "./index.ts";

function applicationDto(application: RemoteApplication): RemoteApplicationDto {
  return { ...application, rootVerifiedAt: application.rootVerifiedAt ?? zeroTime() };
}

function definitionDto(stored: AttributeDefinition): RemoteAppAttributeDef {
  return { ...stored, definition: JSON.parse(stored.definition) };
}

/** External issuers whose tokens are accepted, and what they may do. */
export const remoteApplicationHandlers: HandlerFactory = ({ remoteApplications }, config) => ({
  upsertRemoteApplication: async ({ in: statement }, { callContext }) => {
    const keys = statement.publicKeys;
    const publicKeys = keys === null || keys.length === 0 ? null : keys.map((key) => ({ ...key }));
    return applicationDto(await remoteApplications.upsert({ ...statement, publicKeys }, callContext));
  },
  getRemoteApplication: async ({ issuer }) => applicationDto(await remoteApplications.byIssuer(issuer)),
  listRemoteApplications: async ({ activeOnly }) => {
    const applications = await remoteApplications.list(activeOnly);
    return applications.length === 0 ? null : applications.map(applicationDto);
  },
  deleteRemoteApplication: ({ issuer }, { callContext }) => remoteApplications.remove(issuer, callContext),
  resolveRemoteApplicationAuthority: async ({ appId }) => {
    const authority = await remoteApplications.authority(appId);
    return config.contract === "0.97" ? authority : authority.permissions;
  },
  resolveRemoteAppAttributeDef: async ({ appId, key, version }) => {
    return definitionDto(await remoteApplications.attributeDefinition(appId, key, version));
  },
  registerRemoteAppAttributeDef: async ({ appId, key, version, definition }, { callContext }) => {
    const json = JSON.stringify(definition);
    return definitionDto(await remoteApplications.defineAttribute(appId, key, version, json, callContext));
  },
  listRemoteAppAttributeDefs: async ({ appId }) =>
    (await remoteApplications.attributeDefinitions(appId)).map(definitionDto),
  deleteRemoteAppAttributeDef: ({ appId, key }, { callContext }) =>
    remoteApplications.removeAttribute(appId, key, callContext),
});
