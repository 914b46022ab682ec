import { parseAllDocuments } from "yaml";
import { createServerCodec } from "../../contract/codec/index.ts";
import { BootstrapManifest } from "../../contract/dtos/index.ts";
import { methods } from "../../contract/methods/index.ts";
import type { Descriptor, DtoDescriptor } from "../../contract/types.ts";
import { invalidManifest } from "./validate.ts";

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function memberOf(path: string, key: string): string {
  return path === "" ? key : `${path}.${key}`;
}

/** In a file nobody sends members for a newer server, so a name that is not known is a mistake. */
function refuseUnknown(value: unknown, descriptor: Descriptor, path: string): void {
  if (descriptor.kind === "nullable") refuseUnknown(value, descriptor.inner, path);
  else if (descriptor.kind === "list" && Array.isArray(value)) {
    for (const [index, item] of value.entries()) refuseUnknown(item, descriptor.item, `${path}[${index}]`);
  } else if (descriptor.kind === "dto" && isRecord(value)) refuseUnknownMembers(value, descriptor, path);
}

function refuseUnknownMembers(value: Record<string, unknown>, dto: DtoDescriptor, path: string): void {
  const known = new Map(Object.values(dto.fields).map((field) => [field.wire, field.type]));
  for (const [key, member] of Object.entries(value)) {
    const type = known.get(key);
    if (type === undefined)
      throw invalidManifest(memberOf(path, key), `unknown; there are ${[...known.keys()].join(", ")}`);
    refuseUnknown(member, type, memberOf(path, key));
  }
}

const codec = (): ReturnType<ReturnType<typeof createServerCodec>> =>
  createServerCodec("0.73")(methods.applyBootstrapManifest);

/**
 * The manifest in a file: YAML, of which JSON is a part; the first document counts. Unknown members are refused, and so is a manifest that
 * lists nothing. Throws `invalid_bootstrap_manifest` with what is wrong and where.
 */
export function parseManifest(text: string): BootstrapManifest {
  const [document] = parseAllDocuments(text, { schema: "core" });
  if (document === undefined || !("errors" in document)) throw invalidManifest("manifest", "empty");
  const [problem] = document.errors;
  if (problem !== undefined) throw invalidManifest("manifest", problem.message.split("\n")[0] ?? "not YAML");
  const value: unknown = document.toJS({ maxAliasCount: 100 });
  if (!isRecord(value)) throw invalidManifest("manifest", "must be a mapping");
  refuseUnknown(value, BootstrapManifest, "");
  const lists = Object.values(value).filter((list) => Array.isArray(list) || isRecord(list));
  if (lists.every((list) => Object.keys(list).length === 0))
    throw invalidManifest("manifest", "lists nothing");
  try {
    // Through the wire's own codec, so that a file means what the same document means in a call.
    const decoded = codec().decodeArguments(JSON.stringify({ manifest: value }));
    return (decoded as { readonly manifest: BootstrapManifest }).manifest;
  } catch (error) {
    throw invalidManifest("manifest", error instanceof Error ? error.message : String(error));
  }
}
