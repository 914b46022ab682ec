import type { Descriptor } from "../../contract/types.ts";

export type JsonSchema = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Named schemas of a document; each is written once and referred to. */
export class Components {
  readonly #schemas = new Map<string, JsonSchema>();

  /** A reference to the schema of that name, made on first use. */
  refer(name: string, make: () => JsonSchema): JsonSchema {
    if (!this.#schemas.has(name)) {
      // Known before it is made, so that a schema may contain itself.
      this.#schemas.set(name, {});
      this.#schemas.set(name, make());
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  all(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.#schemas].sort(([a], [b]) => (a < b ? -1 : 1)));
  }
}

/**
 * A route's schema as OpenAPI 3.1 has it, which is JSON Schema 2020-12: the validator's own marks are left out, schemas with a name become
 * components.
 */
export function routeSchema(schema: object, components: Components): JsonSchema {
  const plain = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(plain);
    if (!isRecord(value)) return value;
    const { $id: name, ...rest } = value;
    const members = (): JsonSchema =>
      Object.fromEntries(
        Object.entries(rest)
          .filter(([key]) => !key.startsWith("~"))
          .map(([key, member]) => [key, plain(member)]),
      );
    return typeof name === "string" ? components.refer(name, members) : members();
  };
  const made = plain(schema);
  return isRecord(made) ? made : {};
}

const scalars: Readonly<Record<string, JsonSchema>> = {
  string: { type: "string" },
  bool: { type: "boolean" },
  int64: { type: "integer", format: "int64" },
  int32: { type: "integer", format: "int32" },
  time: { type: "string", format: "date-time" },
  duration_ns: { type: "integer", format: "int64", description: "Nanoseconds." },
  bytes_base64: { type: ["string", "null"], contentEncoding: "base64" },
  ip: { type: "string", description: "Textual IP address, or empty." },
  json: {},
};

/** A type of the management API as JSON Schema. */
export function descriptorSchema(type: Descriptor, components: Components): JsonSchema {
  switch (type.kind) {
    case "nothing":
      return { type: "null" };
    case "list":
      return { type: "array", items: descriptorSchema(type.item, components) };
    case "map":
      return { type: "object", additionalProperties: descriptorSchema(type.item, components) };
    case "nullable":
      return { anyOf: [descriptorSchema(type.inner, components), { type: "null" }] };
    case "several":
      return {
        type: "object",
        properties: Object.fromEntries(
          Object.values(type.members).map((member, index) => [
            `r${index}`,
            descriptorSchema(member, components),
          ]),
        ),
      };
    case "by-generation":
      return { oneOf: Object.values(type.shapes).map((shape) => descriptorSchema(shape, components)) };
    case "dto":
      return components.refer(`${type.name}DTO`, () => ({
        type: "object",
        properties: Object.fromEntries(
          Object.values(type.fields).map(({ wire, type: member }) => [
            wire,
            descriptorSchema(member, components),
          ]),
        ),
      }));
    default:
      return scalars[type.kind] ?? {};
  }
}
