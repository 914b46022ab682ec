import type { JsonSchema } from "./json-schema.ts";
import { sections } from "./sections.ts";
import { variables } from "./variables.ts";

/** Tree of dotted paths on the way to a schema. */
interface Branch {
  readonly branches: Map<string, Branch>;
  readonly leaves: Map<string, JsonSchema>;
}

function branch(): Branch {
  return { branches: new Map(), leaves: new Map() };
}

/** JSON Schema (draft 2020-12) of the YAML file, made from the tables of variables and sections. */
export function fileSchema(): JsonSchema {
  const root = branch();
  for (const { yaml, type, doc, name } of Object.values(variables)) {
    if (yaml !== undefined) place(root, yaml, { description: `${doc} (\`${name}\`)`, ...type.schema });
  }
  for (const { yaml, shape, doc } of Object.values(sections))
    place(root, yaml, { description: doc, ...shape.schema });
  root.leaves.set("$schema", { type: "string" });
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "Configuration file of authkit-server (AUTHKIT_CONFIG)",
    ...toSchema(root),
  };
}

function place(root: Branch, path: string, schema: JsonSchema): void {
  const steps = path.split(".");
  const last = steps.pop() ?? path;
  let at = root;
  for (const step of steps) {
    const next = at.branches.get(step) ?? branch();
    at.branches.set(step, next);
    at = next;
  }
  at.leaves.set(last, schema);
}

function toSchema({ branches, leaves }: Branch): JsonSchema {
  const properties: [string, JsonSchema][] = [
    ...leaves,
    ...[...branches].map(([name, below]): [string, JsonSchema] => [name, toSchema(below)]),
  ];
  properties.sort(([a], [b]) => (a < b ? -1 : 1));
  return { type: "object", properties: Object.fromEntries(properties), additionalProperties: false };
}

const lineWidth = 110;

/** The committed form of the schema, `src/config/schema.json`: lists of plain values stand on one line where they fit. */
export function fileSchemaText(): string {
  const text = JSON.stringify(fileSchema(), null, 2);
  const compact = text.replace(
    /^( *(?:"[^"]*": )?)\[\n((?:\s*(?:"(?:[^"\\]|\\.)*"|[\w.-]+),?\n)+)\s*\](,?)$/gm,
    (whole, before: string, items: string, after: string) => {
      const line = `${before}[${items
        .trim()
        .split(/,\n\s*/)
        .join(", ")}]${after}`;
      return line.length <= lineWidth ? line : whole;
    },
  );
  return `${compact}\n`;
}
