import { readFileSync } from "node:fs";
import Schema from "typebox/schema";
import { afterEach, describe, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { configCommand } from "../../../src/cli/config.ts";
import { fileSchema, fileSchemaText } from "../../../src/config/file-schema.ts";
import { printConfig, withoutCredentials } from "../../../src/config/print.ts";
import { referencePage } from "../../../src/config/reference.ts";
import { type VariableKey, variables } from "../../../src/config/variables.ts";
import { config, fromYaml, production } from "./load.ts";

const page = referencePage();
const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";

function committed(path: string): string {
  return readFileSync(new URL(`../../../${path}`, import.meta.url), "utf8");
}

describe("committed files", () => {
  test("docs/configuration.md is current (config docs > docs/configuration.md)", () => {
    expect(committed("docs/configuration.md")).toBe(page);
  });

  test("src/config/schema.json is current (config schema > src/config/schema.json)", () => {
    expect(committed("src/config/schema.json")).toBe(fileSchemaText());
    expect(JSON.parse(fileSchemaText())).toEqual(JSON.parse(JSON.stringify(fileSchema())));
  });

  test("every variable is on the page, and every secret is marked", () => {
    for (const { name, secret, aliases } of Object.values(variables)) {
      const line = page.split("\n").find((candidate) => candidate.startsWith(`| \`${name}\``)) ?? "";
      expect(line, name).not.toBe("");
      expect(line.includes("**secret**, **file**"), name).toBe(secret);
      for (const alias of aliases) expect(line).toContain(`\`${alias.name}\``);
    }
  });
});

describe("the example of the page", () => {
  test("is accepted", () => {
    const made = fromYaml(
      example,
      { ...production, FORGE_SECRET: "f" },
      {
        "/run/secrets/google": "g",
        "/run/secrets/apple.p8": "a",
        "/run/secrets/smtp": "s",
      },
    );
    expect(made.providers.map(({ id }) => id)).toEqual(["google", "apple", "forge"]);
    expect(made.personas.map(({ name }) => name)).toEqual(["root", "org"]);
    expect(made.senders.mail).toMatchObject({ kind: "smtp", password: "s" });
    expect(made.limits.buckets).toMatchObject({ auth_register_availability: "off" });
  });

  test("meets the schema, and a mistake in it does not", () => {
    const schema = JSON.parse(fileSchemaText());
    const file = parse(example);
    expect(Schema.Check(schema, file)).toBe(true);
    const mistakes = [
      { ...file, provider: [] },
      { ...file, personas: [{ name: "Org" }] },
      { ...file, limits: { buckets: { auth_registr: "off" } } },
      { ...file, tokens: { access_ttl: 15 } },
      { ...file, senders: { mail: { kind: "pigeon" } } },
      { ...file, registration: { mode: "shut" } },
    ];
    expect(mistakes.map((mistake) => Schema.Check(schema, mistake))).toEqual(mistakes.map(() => false));
    expect(
      Schema.Check(schema, { tokens: { access_ttl: "15m", skew: 0 }, passwordless: { enabled: true } }),
    ).toBe(true);
  });
});

describe("print", () => {
  const marker = "hunter2";

  /** A value each secret accepts that contains, or decodes to, the marker. */
  const values: Partial<Record<VariableKey, string>> = {
    databaseUrl: `postgres://u:${marker}@db/x`,
    redisUrl: `redis://u:${marker}@cache/0?sentinel_password=${marker}`,
    smtpUrl: `smtp://u:${marker}@h`,
    keyringSecret: Buffer.from(marker.padEnd(32, "-")).toString("base64"),
    totpSecretKey: Buffer.from(marker.padEnd(32, "-")).toString("base64"),
    codeSecret: marker.padEnd(32, "-"),
    keyringFormerSecrets: Buffer.from(marker.padEnd(32, "+")).toString("base64"),
    codeFormerSecrets: marker.padEnd(32, "+"),
  };
  const left: ReadonlySet<VariableKey> = new Set(["redisPassword", "activePrivateKey"]);

  test("no secret is shown", () => {
    const env: NodeJS.ProcessEnv = {
      ...{
        AUTHKIT_MAIL_FROM: "a@b",
        AUTHKIT_OIDC_GOOGLE_CLIENT_ID: "g",
        AUTHKIT_OIDC_DISCORD_CLIENT_ID: "d",
      },
      ...{
        AUTHKIT_OIDC_GITHUB_CLIENT_ID: "h",
        AUTHKIT_OIDC_APPLE_CLIENT_ID: "a",
        AUTHKIT_OIDC_APPLE_TEAM_ID: "t",
      },
      ...{
        AUTHKIT_OIDC_APPLE_KEY_ID: "k",
        AUTHKIT_TWILIO_ACCOUNT_SID: "A",
        AUTHKIT_TWILIO_MESSAGING_SERVICE_SID: "M",
      },
    };
    for (const [key, { name, secret }] of Object.entries(variables)) {
      if (secret && !left.has(key as VariableKey) && !name.includes("WEBHOOK")) {
        env[name] = values[key as VariableKey] ?? `${marker}-${name}`;
      }
    }
    const made = config(env);
    expect(JSON.stringify(made)).toContain(marker);
    const printed = printConfig(made);
    expect(printed).not.toContain(marker);
    expect(printed).not.toContain(Buffer.from(marker.padEnd(32, "-")).toString("base64"));
    expect(parse(printed)).toMatchObject({
      ...{ issuer: "http://localhost:8080", tokens: { accessTtlSeconds: 900 } },
      database: { url: "postgres://u:********@db/x" },
      redis: { nodes: [{ host: "cache", port: 6379 }], password: "********" },
      ...{
        management: { tokens: ["********", "********"] },
        keys: { keyringSecret: "********", activeKeyId: null },
      },
    });
  });

  test("webhook secrets, passwords of their own and private keys neither", () => {
    const yaml =
      "senders: {mail: {kind: webhook, url: https://h, secret: hunter2, from: a@b}, sms: {kind: webhook, url: https://h, secret: hunter2}}\n" +
      "providers: [{built_in: apple, client_id: c, apple_jwt: {team_id: t, key_id: k, private_key_pem: hunter2}}]";
    const printed = printConfig(fromYaml(yaml, { AUTHKIT_REDIS_ADDR: "c", AUTHKIT_REDIS_PASSWORD: marker }));
    expect(printed).not.toContain(marker);
    expect(printed).toContain('privateKeyPem: "********"');
  });

  test.each([
    [
      "postgres://u:p@h/d?sslmode=require&password=x",
      "postgres://u:********@h/d?sslmode=require&password=********",
    ],
    ["postgres://u@h/d", "postgres://u@h/d"],
    ["host=h user=u password='a b' dbname=d", "host=h user=u password=******** dbname=d"],
    ["smtps://u:a@b@h:465", "smtps://u:********@h:465"],
    ["https://example.com/x?y=z", "https://example.com/x?y=z"],
  ])("%s", (address, shown) => {
    expect(withoutCredentials(address)).toBe(shown);
  });
});

describe("the command", () => {
  const written = { out: "", err: "" };

  afterEach(() => {
    vi.restoreAllMocks();
    Object.assign(written, { out: "", err: "" });
  });

  async function run(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<number> {
    const keep = (stream: "out" | "err") => (text: string | Uint8Array) => {
      written[stream] += String(text);
      return true;
    };
    vi.spyOn(process.stdout, "write").mockImplementation(keep("out"));
    vi.spyOn(process.stderr, "write").mockImplementation(keep("err"));
    return configCommand(args, env);
  }

  test("check reports all problems and warnings, and ends with 1", async () => {
    expect(await run(["check"], { AUTHKIT_ENV: "prod", AUTHKIT_DBURL: "x" })).toBe(1);
    expect(written.out).toBe("");
    expect(written.err.split("\n").map((line) => line.split(" ")[1])).toEqual([
      ...[
        "AUTHKIT_DBURL:",
        "AUTHKIT_ISSUER:",
        "DB_URL:",
        "AUTHKIT_REDIS_URL:",
        "AUTHKIT_MGMT_TOKEN:",
        undefined,
      ],
    ]);
  });

  test("check of a good configuration ends with 0", async () => {
    expect(await run(["check"], production)).toBe(0);
    expect(written).toEqual({ out: "The configuration is valid.\n", err: "" });
  });

  test("print, schema and docs go to standard output", async () => {
    expect(await run(["print"], production)).toBe(0);
    expect(parse(written.out)).toMatchObject({
      issuer: "https://auth.example.com",
      database: { url: "postgres://auth:********@db.internal/auth" },
    });
    written.out = "";
    expect(await run(["schema"])).toBe(0);
    expect(written.out).toBe(fileSchemaText());
    written.out = "";
    expect(await run(["docs"])).toBe(0);
    expect(written.out).toBe(page);
  });

  test("wrong usage ends with 2", async () => {
    expect(await run([])).toBe(2);
    expect(await run(["frobnicate"])).toBe(2);
    expect(await run(["check", "now"])).toBe(2);
    expect(written.err).toContain("usage: config <command>");
    expect(await run(["--help"])).toBe(0);
  });
});
