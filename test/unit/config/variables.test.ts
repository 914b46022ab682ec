import { describe, expect, test } from "vitest";
import { Findings } from "../../../src/config/problems.ts";
import { knownNames, readVariable } from "../../../src/config/read-environment.ts";
import { type VariableKey, variables } from "../../../src/config/variables.ts";

/** For each variable: texts that are accepted with the value they mean, and texts that are not. */
type Case = readonly [accepted: readonly (readonly [string, unknown])[], refused: readonly string[]];

const anyText: Case = [[["some text", "some text"]], []];
const booleans: Case = [
  [
    ["true", true],
    ["0", false],
  ],
  [],
];
const switches: Case = [
  [
    ["on", true],
    ["off", false],
    ["true", true],
  ],
  [],
];
const durations: Case = [
  [
    ["90s", 90_000],
    ["1h30m", 5_400_000],
  ],
  ["90", "1d", "soon"],
];
const addresses: Case = [[["127.0.0.1:9000", { host: "127.0.0.1", port: 9_000 }]], ["9000", "a:b"]];
const paths: Case = [[["/etc/authkit/x", "/etc/authkit/x"]], []];
const frontendPaths: Case = [[["/a?b", "/a?b"]], ["a", "//a", "/a#b"]];
const urls: Case = [
  [["https://a.example/", "https://a.example"]],
  ["a.example", "mailto:a@b", "https://a?b"],
];
const webUrls: Case = [[["https://a.example/x?y", "https://a.example/x?y"]], ["a.example", "ftp://a"]];
const textLists: Case = [[["a, b,,", ["a", "b"]]], []];

const senders: Case = [
  [
    ["auto", "auto"],
    ["none", "none"],
  ],
  ["smtp"],
];

const cases: Readonly<Record<VariableKey, Case>> = {
  environment: anyText,
  configFile: paths,
  rbacFile: paths,
  providersFile: paths,
  stateDirectory: paths,
  contract: [
    [
      ["0.73", "0.73"],
      ["0.97", "0.97"],
    ],
    ["0.74", "latest"],
  ],
  strictStatus: booleans,
  issuer: urls,
  baseUrl: urls,
  publicUrl: urls,
  audiences: [[["a,b", ["a", "b"]]], [",", ", ,"]],
  apiPrefix: [
    [
      ["/auth/", "/auth"],
      ["/", ""],
    ],
    ["auth", "/v1", "/.well-known"],
  ],
  verifyPath: frontendPaths,
  resetPath: frontendPaths,
  passwordlessPath: frontendPaths,
  invitePath: frontendPaths,
  oidcReturnPath: frontendPaths,
  listen: addresses,
  metricsListen: addresses,
  httpWorkers: [
    [
      ["4", 4],
      ["0", 0],
    ],
    ["-1", "many", "1.5"],
  ],
  managementWorkers: [[["2", 2]], ["-1", "65"]],
  hashingWorkers: [[["2", 2]], ["-1", "x"]],
  engine: [
    [
      ["uws", "uws"],
      ["NODE", "node"],
    ],
    ["express"],
  ],
  trustedProxies: [[["10.0.0.0/8, ::1/128", ["10.0.0.0/8", "::1/128"]]], ["10.0.0.1", "10.0.0.0/8,x"]],
  trustCloudflare: booleans,
  corsOrigins: [[["https://A.example", ["https://a.example"]]], ["*", "https://a.example/x"]],
  shutdownTimeout: durations,
  socketDirectory: paths,
  maxBodyBytes: [[["2048", 2_048]], ["1023", "1MiB"]],
  databaseUrl: anyText,
  schema: [
    [
      ["auth_1", "auth_1"],
      ["_x", "_x"],
      ["a".repeat(63), "a".repeat(63)],
    ],
    ["Auth", "1a", 'a"', "a;b", "a".repeat(64), "ä"],
  ],
  migrateOnStart: booleans,
  statementTimeout: durations,
  redisUrl: anyText,
  redisAddress: textLists,
  redisPassword: [[[" with spaces ", " with spaces "]], []],
  redisUsername: anyText,
  redisSentinelMaster: anyText,
  redisSentinelPassword: [[[" x", " x"]], []],
  redisCa: anyText,
  redisKeyPrefix: [[["a:", "a:"]], ["a b", "{a}"]],
  managementToken: textLists,
  managementTokenNext: textLists,
  introspectToken: anyText,
  managementOpen: booleans,
  managementDisabled: booleans,
  managementListen: addresses,
  keysPath: paths,
  activeKeyId: anyText,
  activePrivateKey: anyText,
  publicKeys: [[['{"k":"pem"}', { k: "pem" }]], ["{", "[]", '{"k":1}']],
  keyringSecret: anyText,
  signingAlgorithm: [
    [
      ["RS256", "RS256"],
      ["eddsa", "EdDSA"],
    ],
    ["HS256", "PS256", "none"],
  ],
  keyRotation: durations,
  totpSecretKey: anyText,
  codeSecret: anyText,
  verifyOnly: booleans,
  accessTtl: durations,
  skew: durations,
  longMachineTokens: booleans,
  refreshTtl: durations,
  sessionsPerUser: [
    [
      ["5", 5],
      ["-1", -1],
    ],
    ["five", "1.5", "0x1"],
  ],
  rotationGrace: [[["-1s", -1_000]], ["30"]],
  discovery: switches,
  totpFormerKeys: textLists,
  keyringFormerSecrets: textLists,
  codeFormerSecrets: textLists,
  mfaPasskeyCounts: switches,
  stepUpStrict: switches,
  stepUpForAdmin: switches,
  passkeys: switches,
  linkSession: switches,
  hostedPages: switches,
  machineTokenIds: switches,
  refreshCookie: booleans,
  newDeviceNotice: switches,
  registrationMode: [
    [
      ["Open", "open"],
      ["invite_only", "invite_only"],
      ["closed", "closed"],
    ],
    ["shut"],
  ],
  verification: [
    [
      ["NONE", "none"],
      ["optional", "optional"],
      ["required", "required"],
    ],
    ["always"],
  ],
  verificationExemptBefore: [[["2026-01-01", new Date("2026-01-01")]], ["soon"]],
  hideExisting: booleans,
  hideFromManagers: booleans,
  uncheckedCreateUser: booleans,
  machinesMayBan: booleans,
  mfaEndsSessions: booleans,
  purgeRevokesApiKeys: booleans,
  reservedUsernames: textLists,
  verificationSendTimeout: durations,
  passwordMinLength: [[["12", 12]], ["7", "257", "x"]],
  passwordMaxLength: [[["64", 64]], ["63", "x"]],
  argon2: [[["m=19456,t=2,p=1", "m=19456,t=2,p=1"]], ["19456", "t=2,m=19456,p=1", "m=-1,t=1,p=1"]],
  hashQueueLimit: [[["10", 10]], ["-1"]],
  breachedCheck: booleans,
  breachedFilter: paths,
  contextWords: textLists,
  passwordless: booleans,
  passwordlessAutoRegister: booleans,
  mfaMode: [
    [
      ["Disabled", "disabled"],
      ["required", "required"],
    ],
    ["on"],
  ],
  mfaMethods: [[["TOTP, email", ["totp", "email"]]], ["push", ",", "totp,push"]],
  passkeyRpId: [[["Example.COM", "example.com"]], ["https://example.com", "a/b", "a:80"]],
  passkeyRpName: anyText,
  passkeyOrigins: [
    [["https://a.example,https://b.example", ["https://a.example", "https://b.example"]]],
    ["a.example", "https://a.example/x"],
  ],
  passkeyUserVerification: [[["preferred", "preferred"]], ["discouraged"]],
  passkeysPerUser: [[["1", 1]], ["0", "1001"]],
  languages: textLists,
  defaultLanguage: anyText,
  linkStepUp: switches,
  legacySubjects: [[["keep", "keep"]], ["drop"]],
  unverifiedEmail: [[["store", "store"]], ["trust"]],
  oidcResultMode: [[["code", "code"]], ["query"]],
  solanaNetwork: [
    [
      ["mainnet-beta", "mainnet-beta"],
      ["Devnet", "devnet"],
    ],
    ["localnet"],
  ],
  solanaDomain: [[["App.example", "app.example"]], ["https://app.example"]],
  solanaNameService: switches,
  solanaNameServiceUrl: webUrls,
  apiKeyPrefix: [
    [
      ["acme1", "acme1"],
      ["a".repeat(16), "a".repeat(16)],
    ],
    ["Acme", "a_b", "a".repeat(17)],
  ],
  apiKeyMaxTtl: durations,
  limitsEnabled: switches,
  sessionEventRetention: durations,
  purgeDeletedAfter: durations,
  auditRetention: durations,
  appName: anyText,
  templates: paths,
  mailSender: senders,
  smsSender: senders,
  mailFrom: anyText,
  smtpUrl: anyText,
  smtpPassword: [[[" x ", " x "]], []],
  mailWebhookUrl: webUrls,
  mailWebhookSecret: anyText,
  twilioAccountSid: anyText,
  twilioAuthToken: anyText,
  twilioMessagingServiceSid: anyText,
  smsWebhookUrl: webUrls,
  smsWebhookSecret: anyText,
  googleClientId: anyText,
  googleClientSecret: anyText,
  discordClientId: anyText,
  discordClientSecret: anyText,
  githubClientId: anyText,
  githubClientSecret: anyText,
  appleClientId: anyText,
  appleTeamId: anyText,
  appleKeyId: anyText,
  applePrivateKey: anyText,
  bootstrapPath: paths,
  devMintSecret: anyText,
  devEndpoints: booleans,
  staticEntitlements: textLists,
  logLevel: [[["DEBUG", "debug"]], ["trace"]],
  accessLog: booleans,
  logPretty: booleans,
  tracing: booleans,
};

const keys = Object.keys(cases) as VariableKey[];

function read(key: VariableKey, env: NodeJS.ProcessEnv, files: Readonly<Record<string, string>> = {}) {
  const findings = new Findings();
  const readFile = (path: string): string => {
    const content = files[path];
    if (content === undefined) throw Object.assign(new Error("missing"), { code: "ENOENT" });
    return content;
  };
  return { value: readVariable<unknown>(variables[key], { env, readFile, findings }), findings };
}

test("every variable has a case and a name of its own", () => {
  expect(keys.sort()).toEqual(Object.keys(variables).sort());
  const names = Object.values(variables).flatMap(({ name, aliases }) => [
    name,
    ...aliases.map((alias) => alias.name),
  ]);
  expect(new Set(names).size).toBe(names.length);
  const yamlPaths = Object.values(variables).flatMap(({ yaml }) => (yaml === undefined ? [] : [yaml]));
  expect(new Set(yamlPaths).size).toBe(yamlPaths.length);
});

describe.each(keys)("%s", (key) => {
  const { name, secret, file, verbatim, type, doc } = variables[key];
  const [accepted, refused] = cases[key];

  test("accepts its values from the environment", () => {
    for (const [text, value] of accepted) {
      const { value: got, findings } = read(key, { [name]: text });
      expect(findings.problems).toEqual([]);
      expect(got).toEqual(value);
    }
  });

  test("refuses others, naming the variable and what is accepted", () => {
    for (const text of refused) {
      const { value, findings } = read(key, { [name]: text });
      expect(value, text).toBeUndefined();
      expect(findings.problems, text).toHaveLength(1);
      expect(findings.problems[0]).toMatchObject({ where: name, fix: `must be ${type.accepts}` });
      expect(findings.problems[0]?.message).toContain(JSON.stringify(text));
    }
    if (type.lenient) {
      const { value, findings } = read(key, { [name]: "maybe" });
      expect([value, findings.problems]).toEqual([undefined, []]);
      expect(findings.warnings).toEqual([
        expect.stringContaining(`${name}: "maybe" is neither true nor false`),
      ]);
    }
  });

  test("a blank value equals an unset one; other values are trimmed unless taken as they are", () => {
    expect(read(key, { [name]: verbatim ? "" : "  " })).toMatchObject({
      value: undefined,
      findings: { problems: [] },
    });
    const [text = ""] = accepted[0] ?? [];
    if (!verbatim) expect(read(key, { [name]: ` ${text}\n` }).value).toEqual(accepted[0]?.[1]);
  });

  test("is documented in one sentence or more, and a secret can stand in a file", () => {
    expect(doc).toMatch(/^[A-Z0-9`].*\.$/s);
    if (secret) expect(file).toBe(true);
  });
});

describe.each(keys.filter((key) => variables[key].file))("%s in a file", (key) => {
  const { name } = variables[key];
  const [text, value] = cases[key][0][0] ?? ["", undefined];

  test("is read without the line break at the end", () => {
    expect(read(key, { [`${name}_FILE`]: "/run/secret" }, { "/run/secret": `${text}\n` }).value).toEqual(
      value,
    );
  });

  test("is refused when it is missing, empty or given twice", () => {
    const missing = read(key, { [`${name}_FILE`]: "/run/none" }).findings.problems;
    expect(missing).toEqual([
      expect.objectContaining({ where: `${name}_FILE`, message: '"/run/none" cannot be read: ENOENT' }),
    ]);
    const empty = read(key, { [`${name}_FILE`]: "/run/empty" }, { "/run/empty": "\n" }).findings.problems;
    expect(empty).toEqual([expect.objectContaining({ message: '"/run/empty" is empty' })]);
    const both = read(key, { [name]: text, [`${name}_FILE`]: "/run/secret" }, { "/run/secret": text })
      .findings.problems;
    expect(both).toEqual([
      expect.objectContaining({ message: `is set beside ${name}`, fix: "keep one of the two" }),
    ]);
  });
});

test("names of both generations are known, prefixed ones first", () => {
  const contractNames =
    "AUTHKIT_ISSUER DB_URL DATABASE_URL AUTHKIT_LISTEN_ADDR AUTHKIT_AUDIENCES AUTHKIT_KEYS_PATH AUTHKIT_SCHEMA AUTHKIT_ENV " +
    "AUTHKIT_MGMT_TOKEN AUTHKIT_REDIS_ADDR AUTHKIT_API_PREFIX AUTHKIT_REGISTRATION_VERIFICATION ACTIVE_KEY_ID " +
    "ACTIVE_PRIVATE_KEY_PEM PUBLIC_KEYS AUTHKIT_ACTIVE_KEY_ID AUTHKIT_ACTIVE_PRIVATE_KEY_PEM AUTHKIT_PUBLIC_KEYS AUTHKIT_REDIS_URL " +
    "AUTHKIT_REDIS_PASSWORD AUTHKIT_MIGRATE_ON_START AUTHKIT_API_KEY_PREFIX AUTHKIT_TRUSTED_PROXIES AUTHKIT_ACCESS_TOKEN_TTL " +
    "AUTHKIT_REFRESH_TOKEN_TTL AUTHKIT_SESSION_MAX_PER_USER AUTHKIT_REFRESH_ROTATION_GRACE AUTHKIT_VERIFICATION_SEND_TIMEOUT " +
    "AUTHKIT_2FA_MODE AUTHKIT_2FA_METHODS AUTHKIT_PASSKEY_RPID AUTHKIT_PASSKEY_RP_DISPLAY_NAME AUTHKIT_PASSKEY_ORIGINS " +
    "AUTHKIT_LANGUAGES AUTHKIT_DEFAULT_LANGUAGE AUTHKIT_BOOTSTRAP_PATH AUTHKIT_DEV_MINT_SECRET AUTHKIT_STATIC_ENTITLEMENTS";
  const known = knownNames();
  expect(contractNames.split(" ").filter((name) => !known.has(name))).toEqual([]);
});

describe("aliases", () => {
  test("the old key names are read with a warning", () => {
    const { value, findings } = read("activeKeyId", { ACTIVE_KEY_ID: "k1" });
    expect(value).toBe("k1");
    expect(findings.warnings).toEqual(["ACTIVE_KEY_ID: is an old name; use AUTHKIT_ACTIVE_KEY_ID"]);
  });

  test("two spellings agree or are refused", () => {
    expect(read("databaseUrl", { DB_URL: "a", DATABASE_URL: "a" })).toMatchObject({
      value: "a",
      findings: { problems: [], warnings: [] },
    });
    const { problems } = read("databaseUrl", { DB_URL: "secret-a", DATABASE_URL: "secret-b" }).findings;
    expect(problems).toEqual([
      {
        where: "DB_URL",
        message: "and DATABASE_URL are both set, to different values",
        fix: "not both: keep one of the two",
      },
    ]);
    expect(
      read("activeKeyId", { AUTHKIT_ACTIVE_KEY_ID: "a", ACTIVE_KEY_ID: "b" }).findings.problems,
    ).toHaveLength(1);
  });

  test("a secret's value stays out of messages", () => {
    const { findings } = read("managementToken", {
      AUTHKIT_MGMT_TOKEN: "a,b",
      AUTHKIT_MGMT_TOKEN_FILE: "/x",
    });
    expect(JSON.stringify(findings)).not.toContain("a,b");
  });

  test("a password is taken from its file without the line break at the end alone", () => {
    expect(read("redisPassword", { AUTHKIT_REDIS_PASSWORD_FILE: "/p" }, { "/p": " pass \r\n" }).value).toBe(
      " pass ",
    );
  });
});
