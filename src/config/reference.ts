import { formatGoDuration } from "./duration.ts";
import type { JsonSchema } from "./json-schema.ts";
import { sections } from "./sections.ts";
import { duration } from "./values.ts";
import type { Origin, Variable } from "./variable.ts";
import { areas } from "./variables.ts";

const origins: Readonly<Record<Origin, string>> = { contract: "both", later: "later", ours: "own" };

const introduction = `# Configuration

Made by \`authkit-server config docs\` from the table of settings; do not edit by hand.

- Settings come from environment variables. What the environment expresses badly lives in a YAML file named by \`AUTHKIT_CONFIG\`; the
  environment wins over the file. \`src/config/schema.json\` describes the file for editors.
- Values are trimmed; a blank value equals an unset one. Lists are separated by commas. Durations follow Go (\`300ms\`, \`15m\`, \`720h\`,
  \`1h30m\`); a bare number other than \`0\` is refused.
- Booleans are \`1 t T TRUE true True\` and \`0 f F FALSE false False\`; anything else is ignored with a warning.
- Variables marked **file** are also read from the file named by \`<NAME>_FILE\`; every secret is among them.
- An unknown \`AUTHKIT_*\` variable is reported with the nearest known name; an unknown key of a YAML file refuses the start.
- In YAML files \`\${NAME}\` inside a string is replaced by that environment variable (\`$\${\` stands for \`\${\`), and each secret can be
  given as \`<key>_file\`, the path of a file that holds it.
- \`authkit-server config check\` reports every problem at once; \`authkit-server config print\` shows the effective configuration, secrets masked.
- Generation: **both** = known to both generations of the contract, **later** = to the later one, **own** = to this server alone.

## Environment classes

| Class | \`AUTHKIT_ENV\` | What it means |
|---|---|---|
| development | unset, \`dev\`, \`development\`, \`local\`, \`test\` | Nothing is required: issuer \`http://localhost:<port>\`, embedded PostgreSQL and generated secrets under the state directory, ephemeral state in PostgreSQL when there is no Redis, messages on the console. The management token is generated and kept in \`<state directory>/management-token\`; the API without a token exists only with \`AUTHKIT_MGMT_OPEN=true\` on a loopback listener |
| production | anything else, \`staging\` too | Refuses to start without issuer, database, Redis, management token (or \`AUTHKIT_MGMT_DISABLED=true\`) and key material; development endpoints do not exist; addresses of other services must be https |

While \`AUTHKIT_ENV\` is unset, \`ENV\`, \`APP_ENV\` or \`ENVIRONMENT\` saying production refuses the start: one of the two is a mistake.
`;

/** The reference page, `docs/configuration.md`. */
export function referencePage(): string {
  const parts = [introduction];
  for (const [title, table] of Object.entries(areas)) parts.push(area(title, Object.values(table)));
  parts.push(yamlPart());
  return `${parts.join("\n")}`;
}

function area(title: string, table: readonly Variable<unknown>[]): string {
  const rows = table.map((variable) => {
    const names = [
      variable.name,
      ...variable.aliases.map(({ name, deprecated }) => (deprecated ? `${name} (old)` : name)),
    ];
    const marks = [
      variable.secret ? "**secret**" : "",
      variable.file ? "**file**" : "",
      origins[variable.origin],
    ];
    return row([
      names
        .map((name) => code(name.replace(" (old)", "")) + (name.endsWith(" (old)") ? " (old)" : ""))
        .join("<br>"),
      variable.type.label,
      variable.defaultText ?? defaultText(variable),
      marks.filter((mark) => mark !== "").join(", "),
      variable.yaml === undefined ? "" : code(variable.yaml),
      `${variable.doc} ${accepted(variable)}`.trim(),
    ]);
  });
  return `## ${title}\n\n${row(["Variable", "Type", "Default", "Kind", "YAML path", "Meaning"])}\n|---|---|---|---|---|---|\n${rows.join("\n")}\n`;
}

/** Choices and forms that the type's name does not tell. */
function accepted({ type }: Variable<unknown>): string {
  return type.label === "one of" || type.label.startsWith("list of one of") || type.label === "identifier"
    ? `Must be ${type.accepts}.`
    : "";
}

function defaultText(variable: Variable<unknown>): string {
  const value = variable.default;
  if (value === undefined) return "–";
  if (Array.isArray(value)) return value.length === 0 ? "none" : code(value.join(","));
  if (variable.type === (duration as unknown) && typeof value === "number")
    return code(formatGoDuration(value));
  return code(String(value));
}

function yamlPart(): string {
  const parts = ["## Settings of the YAML file alone\n"];
  for (const { yaml, shape, doc } of Object.values(sections)) {
    const rows = [...describe(shape.schema, yaml, false)];
    parts.push(
      `### ${code(yaml)}\n\n${doc}\n\n${row(["Path", "Type", "", "Meaning"])}\n|---|---|---|---|\n${rows.join("\n")}\n`,
    );
  }
  parts.push(example);
  return parts.join("\n");
}

function* describe(schema: JsonSchema, path: string, demanded: boolean): Generator<string> {
  yield row([code(path), typeName(schema), demanded ? "required" : "", schema.description ?? ""]);
  yield* below(schema, path);
}

function* below(schema: JsonSchema, path: string): Generator<string> {
  if (schema.items !== undefined) yield* below(schema.items, `${path}[]`);
  for (const choice of schema.anyOf ?? []) {
    const kind = choice.properties?.["kind"]?.const;
    yield* below(choice, kind === undefined ? path : `${path}(${kind})`);
  }
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (name === "kind" && property.const !== undefined) continue;
    yield* describe(property, `${path}.${name}`, schema.required?.includes(name) ?? false);
  }
  if (typeof schema.additionalProperties === "object")
    yield* below(schema.additionalProperties, `${path}.<name>`);
}

function typeName(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((choice) => code(String(choice))).join(", ");
  if (schema.anyOf !== undefined) return "one of several forms";
  if (schema.type === "array")
    return `list of ${schema.items === undefined ? "values" : typeName(schema.items)}`;
  if (schema.type === "object") return "map";
  if (typeof schema.type === "string") return schema.type;
  return schema.pattern?.includes("ns|us") ? "duration" : (schema.type ?? []).join(" or ");
}

const example = `## Example

\`\`\`yaml
frontend:
  base_url: https://app.example.com
  reset_path: /account/reset
providers:
  - built_in: google
    client_id: 1234.apps.googleusercontent.com
    client_secret_file: /run/secrets/google
  - built_in: apple
    client_id: com.example.web
    apple_jwt:
      team_id: TEAM123456
      key_id: KEY1234567
      private_key_pem_file: /run/secrets/apple.p8
  - name: forge
    kind: oauth2
    issuer: https://forge.example.com
    client_id: authkit
    client_secret: \${FORGE_SECRET}
    authorize_url: https://forge.example.com/oauth/authorize
    token_url: https://forge.example.com/oauth/token
    user_info_url: https://forge.example.com/api/user
    pkce: true
    user_mapping:
      subject: { path: id }
      email: { path: email, transforms: [lowercase] }
      email_verified: { value: true }
personas:
  - name: root
    roles:
      - { name: support, permissions: ["root:resources:read", "root:users:ban"], requires_mfa: true }
  - name: org
    parent: root
    capabilities: { api_keys: true, custom_roles: true }
    catalog: ["org:members:read", "org:members:manage"]
    roles:
      - { name: member, permissions: ["org:members:read"] }
senders:
  app_name: Example
  mail:
    kind: smtp
    url: smtps://mailer@smtp.example.com:465
    password_file: /run/secrets/smtp
    from: Example <auth@example.com>
limits:
  buckets:
    auth_register: { limit: 20, window: 1h, cooldown: 10s }
    auth_register_availability: "off"
\`\`\`
`;

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
}

function code(text: string): string {
  return text === "" ? "empty" : `\`${text}\``;
}
