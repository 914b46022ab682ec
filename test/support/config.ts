import type { Config } from "../../src/config/config.ts";

/** Overrides of single settings; lists and class instances are replaced whole, objects are merged. */
export type ConfigOverrides = DeepPartial<Config>;

type Whole = readonly unknown[] | Date | Buffer | string | number | boolean | undefined;
type DeepPartial<T> = T extends Whole ? T : { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined };

/** Where a test's servers are; `redisUrl` absent = ephemeral state in PostgreSQL. */
export interface TestServers {
  readonly databaseUrl?: string;
  readonly redisUrl?: string;
  /** Keeps tests that share one Redis apart. */
  readonly redisKeyPrefix?: string;
}

/**
 * A complete configuration for tests: development class, cheap Argon2 parameters, limits as in the built-in table,
 * console senders, one management token (`test-management-token`).
 */
export function testConfig(servers: TestServers = {}, overrides: ConfigOverrides = {}): Config {
  const base: Config = {
    ...defaults,
    database: { ...defaults.database, url: servers.databaseUrl ?? defaults.database.url },
    redis: servers.redisUrl === undefined ? undefined : redis(servers.redisUrl, servers.redisKeyPrefix ?? ""),
  };
  return merge(base, overrides);
}

function redis(url: string, keyPrefix: string): Config["redis"] {
  const { hostname, port, pathname } = new URL(url);
  return {
    mode: "single",
    nodes: [{ host: hostname, port: Number(port || 6379) }],
    sentinelName: undefined,
    username: undefined,
    password: undefined,
    sentinelPassword: undefined,
    database: Number(pathname.slice(1) || 0),
    tls: false,
    tlsCa: undefined,
    keyPrefix,
  };
}

function merge<T extends object>(base: T, overrides: object): T {
  const merged = { ...base };
  for (const [key, given] of Object.entries(overrides)) {
    const present: unknown = Reflect.get(base, key);
    Reflect.set(merged, key, isPlain(given) && isPlain(present) ? merge(present, given) : given);
  }
  return merged;
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

const defaults: Config = {
  environment: { name: "test", class: "development", explicit: true },
  contract: "0.73",
  strictStatus: false,
  machinesMayBan: false,
  issuer: "http://localhost:8080",
  baseUrl: "http://localhost:8080",
  frontend: {
    verifyPath: "/verify",
    resetPath: "/reset",
    passwordlessPath: "/passwordless",
    invitePath: "/accept-invite",
    oidcReturnPath: "/login/callback",
    hostedPages: true,
  },
  audiences: ["authkit"],
  apiPrefix: "/api/v1",
  server: {
    listen: { host: "127.0.0.1", port: 8080 },
    metricsListen: undefined,
    httpWorkers: 1,
    managementWorkers: 1,
    hashingWorkers: 1,
    engine: "auto",
    trustedProxies: [],
    trustCloudflare: false,
    corsOrigins: [],
    shutdownTimeoutMs: 2_000,
    socketDirectory: ".authkit/sockets",
    maxBodyBytes: 1 << 20,
  },
  discovery: false,
  database: {
    url: "embedded",
    schema: "profiles",
    poolMax: 8,
    poolMin: 0,
    idleTimeoutMs: 10_000,
    maxLifetimeMs: 3_600_000,
    connectTimeoutMs: 5_000,
    statementTimeoutMs: 15_000,
    preparedStatements: true,
    migrateOnStart: true,
  },
  redis: undefined,
  management: {
    tokens: ["test-management-token"],
    introspectToken: undefined,
    open: false,
    listen: undefined,
  },
  keys: {
    path: "/nonexistent/keys",
    activeKeyId: undefined,
    activePrivateKeyPem: undefined,
    publicKeys: {},
    keyringSecret: undefined,
    keyringFormerSecrets: [],
    algorithm: "ES256",
    rotationSeconds: 0,
    totpSecretKey: Buffer.alloc(32, 7),
    totpFormerKeys: [],
    codeSecret: Buffer.alloc(32, 9),
    codeFormerSecrets: [],
    verifyOnly: false,
  },
  tokens: { accessTtlSeconds: 900, skewSeconds: 5, allowLongMachineTokens: false, machineTokenIds: false },
  sessions: {
    refreshTtlSeconds: 0,
    maxPerUser: 3,
    rotationGraceSeconds: 30,
    refreshCookie: false,
    newDeviceNotice: true,
  },
  registration: {
    mode: "open",
    verification: "none",
    verificationExemptBefore: new Date(0),
    hideExisting: false,
    hideFromManagers: false,
    uncheckedCreateUser: false,
    reservedUsernames: ["admin", "superuser", "root", "sudo"],
    verificationSendTimeoutMs: 15_000,
  },
  passwords: {
    minLength: 8,
    maxLength: 1024,
    argon2: { memory: 1024, iterations: 1, parallelism: 1 },
    queueLimit: 64,
    breachedCheck: false,
    breachedFilterPath: undefined,
    contextWords: [],
  },
  passwordless: { enabled: true, autoRegister: false },
  mfa: {
    mode: "optional",
    methods: ["email", "sms", "totp"],
    passkeyCounts: false,
    endsSessions: false,
  },
  stepUp: { strict: false, admin: false },
  passkeys: {
    rpId: "localhost",
    rpName: "http://localhost:8080",
    origins: ["http://localhost:8080"],
    userVerification: "required",
    maxPerUser: 20,
  },
  languages: { configured: undefined, supported: ["en"], default: "en" },
  providers: [],
  federation: {
    publicUrl: "http://localhost:8080",
    linkRequiresStepUp: false,
    linkSession: true,
    legacySubjects: "rewrite",
    unverifiedEmail: "verify",
    resultMode: "fragment",
  },
  solana: {
    enabled: true,
    network: "testnet",
    domain: "localhost",
    nameService: { enabled: false, url: undefined, timeoutMs: 3_000 },
  },
  apiKeys: { prefix: "", maxTtlSeconds: 0 },
  personas: [],
  senders: {
    mail: { kind: "console", from: "auth@localhost" },
    sms: { kind: "console" },
    appName: "Auth",
    templates: undefined,
  },
  limits: { enabled: true, buckets: {} },
  applications: { selfRegistration: false, approveByDefault: true, options: {} },
  delegation: undefined,
  documents: undefined,
  bootstrap: { path: undefined },
  retention: { sessionEventDays: 365, purgeRevokesApiKeys: false, purgeDeletedAfterDays: 0, auditDays: 365 },
  development: { mintSecret: undefined, endpoints: true, staticEntitlements: undefined },
  log: { level: "warn", access: false, pretty: false },
  tracing: { enabled: false },
  stateDirectory: ".authkit",
};
