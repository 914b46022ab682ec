import {
  RemoteAppAttributeDef,
  RemoteApplication,
  RemoteApplicationAuthority,
} from "../dtos/remote-applications.ts";
import {
  bool,
  byGeneration,
  everyGeneration,
  field,
  int32,
  list,
  nothing,
  nullable,
  string,
} from "../types.ts";
import { method } from "./method.ts";

/** Methods of the topic RemoteApps. */
export const remoteApplicationsMethods = {
  deleteRemoteApplication: method({
    name: "DeleteRemoteApplication",
    topic: "RemoteApps",
    generations: everyGeneration,
    args: { issuer: field("issuer", string) },
    result: nothing,
    errors: ["invalid_remote_application", "remote_application_not_found"],
    mutates: { kind: "remote_application", args: ["issuer"] },
  }),
  getRemoteApplication: method({
    name: "GetRemoteApplication",
    topic: "RemoteApps",
    generations: everyGeneration,
    args: { issuer: field("issuer", string) },
    result: RemoteApplication,
    errors: ["invalid_remote_application", "remote_application_not_found"],
    introspection: true,
  }),
  listRemoteApplications: method({
    name: "ListRemoteApplications",
    topic: "RemoteApps",
    generations: everyGeneration,
    args: { activeOnly: field("activeOnly", bool) },
    result: nullable(list(RemoteApplication)),
    introspection: true,
  }),
  resolveRemoteAppAttributeDef: method({
    name: "ResolveRemoteAppAttributeDef",
    topic: "RemoteApps",
    generations: everyGeneration,
    args: { appId: field("appID", string), key: field("key", string), version: field("version", int32) },
    result: RemoteAppAttributeDef,
    errors: ["attribute_def_not_found", "invalid_attribute_def"],
    introspection: true,
    note: "version<=0 -> latest. Unknown definition is an error (attribute_def_not_found).",
  }),
  resolveRemoteApplicationAuthority: method({
    name: "ResolveRemoteApplicationAuthority",
    topic: "RemoteApps",
    generations: everyGeneration,
    args: { appId: field("appID", string) },
    result: byGeneration(list(string), RemoteApplicationAuthority),
    errors: ["invalid_remote_application", "remote_application_not_found"],
    introspection: true,
    note: "Shape changed: v0.73 returns the permission array, v0.97 an object with Permissions/Persona/InstanceSlug.",
  }),
  upsertRemoteApplication: method({
    name: "UpsertRemoteApplication",
    topic: "RemoteApps",
    generations: everyGeneration,
    args: { in: field("in", RemoteApplication) },
    result: RemoteApplication,
    errors: ["invalid_remote_application", "reserved_issuer"],
    mutates: { kind: "remote_application", args: ["in.issuer"] },
  }),
};
