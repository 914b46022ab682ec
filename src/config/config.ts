import type { ProviderConfig } from "./provider-config.ts";
import type { SenderConfig } from "./sender-config.ts";

export type * from "./provider-config.ts";
export type * from "./sender-config.ts";

/** The whole configuration of a process: frozen, validated, with every default applied. Made only by `loadConfig`. */
export interface Config {
  readonly environment: EnvironmentConfig;
  /** Which generation answers where the two contradict each other. */
  readonly contract: "0.73" | "0.97";
  /** Improved statuses where the contract's are kept only for compatibility (spec 20 §15). */
  readonly strictStatus: boolean;
  /** API keys and applications may ban users over the admin routes. */
  readonly machinesMayBan: boolean;
  /** `iss` of our tokens: absolute URL, no trailing slash. */
  readonly issuer: string;
  /** Front-end base of links in messages and of redirect URIs; defaults to the issuer; no trailing slash. */
  readonly baseUrl: string;
  readonly frontend: FrontendConfig;
  /** `aud` of issued access tokens and accepted audiences. */
  readonly audiences: readonly string[];
  /** Where API routes mount: `""` or `/segments` without trailing slash. */
  readonly apiPrefix: string;
  readonly server: ServerConfig;
  /** Serve the configuration document for verifiers. */
  readonly discovery: boolean;
  readonly database: DatabaseConfig;
  /** Absent only in development: ephemeral state then lives in PostgreSQL. */
  readonly redis: RedisConfig | undefined;
  readonly management: ManagementConfig;
  readonly keys: KeysConfig;
  readonly tokens: TokenConfig;
  readonly sessions: SessionConfig;
  readonly registration: RegistrationConfig;
  readonly passwords: PasswordConfig;
  readonly passwordless: PasswordlessConfig;
  readonly mfa: MfaConfig;
  readonly stepUp: StepUpConfig;
  readonly passkeys: PasskeyConfig;
  readonly languages: LanguageConfig;
  readonly providers: readonly ProviderConfig[];
  readonly federation: FederationConfig;
  readonly solana: SolanaConfig;
  readonly apiKeys: ApiKeyConfig;
  readonly personas: readonly PersonaConfig[];
  readonly senders: SenderConfig;
  readonly limits: LimitPolicyConfig;
  readonly applications: ApplicationsConfig;
  readonly delegation: DelegationConfig | undefined;
  readonly documents: DocumentsConfig | undefined;
  readonly bootstrap: BootstrapConfig;
  readonly retention: RetentionConfig;
  readonly development: DevelopmentConfig;
  readonly log: LogConfig;
  readonly tracing: { readonly enabled: boolean };
  /** Directory for development state: embedded database, generated keys, tokens. */
  readonly stateDirectory: string;
}

export interface EnvironmentConfig {
  readonly name: string;
  readonly class: "development" | "production";
  /** Whether `AUTHKIT_ENV` was set at all. */
  readonly explicit: boolean;
}

export interface FrontendConfig {
  readonly verifyPath: string;
  readonly resetPath: string;
  readonly passwordlessPath: string;
  readonly invitePath: string;
  readonly oidcReturnPath: string;
  /** The server itself has pages behind the links for verification and reset. */
  readonly hostedPages: boolean;
}

export interface ListenAddress {
  readonly host: string | undefined;
  readonly port: number;
}

export interface ServerConfig {
  readonly listen: ListenAddress;
  readonly metricsListen: ListenAddress | undefined;
  /** Number of http workers. */
  readonly httpWorkers: number;
  readonly managementWorkers: number;
  readonly hashingWorkers: number;
  readonly engine: "auto" | "uws" | "node";
  readonly trustedProxies: readonly string[];
  /** Honour `CF-Connecting-IP` from a trusted proxy. */
  readonly trustCloudflare: boolean;
  /** Origins allowed by CORS; empty = no CORS at all. */
  readonly corsOrigins: readonly string[];
  readonly shutdownTimeoutMs: number;
  /** Directory for the Unix sockets between processes. */
  readonly socketDirectory: string;
  readonly maxBodyBytes: number;
}

export interface DatabaseConfig {
  /** One or more servers; `"embedded"` = the PostgreSQL that `serve` starts itself in development. */
  readonly url: string | "embedded";
  readonly schema: string;
  readonly poolMax: number;
  readonly poolMin: number;
  readonly idleTimeoutMs: number;
  readonly maxLifetimeMs: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** Off behind a transaction pooler that does not track prepared statements. */
  readonly preparedStatements: boolean;
  readonly migrateOnStart: boolean;
}

export interface RedisConfig {
  readonly mode: "single" | "sentinel" | "cluster";
  readonly nodes: readonly { readonly host: string; readonly port: number }[];
  readonly sentinelName: string | undefined;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly sentinelPassword: string | undefined;
  readonly database: number;
  readonly tls: boolean;
  /** PEM of the CA to trust, when not the system's. */
  readonly tlsCa: string | undefined;
  readonly keyPrefix: string;
}

export interface ManagementConfig {
  /** Tokens accepted, the current one first. Empty with `open` false = API not mounted. */
  readonly tokens: readonly string[];
  /** Accepted only for the introspection methods (spec 30 §5.7). */
  readonly introspectToken: string | undefined;
  /** Development only, explicitly asked for: no authentication at all. */
  readonly open: boolean;
  readonly listen: ListenAddress | undefined;
}

export interface KeysConfig {
  /** Directory of `keys.json` and `totp.key`. */
  readonly path: string;
  readonly activeKeyId: string | undefined;
  readonly activePrivateKeyPem: string | undefined;
  readonly publicKeys: Readonly<Record<string, string>>;
  /** Encrypts private keys of the managed keyring; 32 bytes. Its presence turns the managed keyring on. */
  readonly keyringSecret: Buffer | undefined;
  /** Open what the managed keyring holds, beside `keyringSecret`; 32 bytes each. */
  readonly keyringFormerSecrets: readonly Buffer[];
  readonly algorithm: "RS256" | "ES256" | "ES384" | "ES512" | "EdDSA";
  /** Managed keyring: seconds between rotations; 0 = only by command. */
  readonly rotationSeconds: number;
  /** Raw AES key for TOTP secrets, from configuration; else read from `totp.key`. */
  readonly totpSecretKey: Buffer | undefined;
  /** Keys that were used for TOTP secrets before, newest first. */
  readonly totpFormerKeys: readonly Buffer[];
  /** HMAC key for short codes; derived from another secret when not set. */
  readonly codeSecret: Buffer;
  /** Codes and job payloads made with these are good too; other than `codeSecret`. */
  readonly codeFormerSecrets: readonly Buffer[];
  readonly verifyOnly: boolean;
}

export interface TokenConfig {
  readonly accessTtlSeconds: number;
  /** Clock skew the server itself allows. */
  readonly skewSeconds: number;
  /** Lifts the 24 h clamp on delegated and remote-application tokens. */
  readonly allowLongMachineTokens: boolean;
  /** Remote-application and custom tokens get a `jti` of ours when they bring none. */
  readonly machineTokenIds: boolean;
}

export interface SessionConfig {
  /** Seconds; 0 = no expiry. */
  readonly refreshTtlSeconds: number;
  /** Negative = unlimited. */
  readonly maxPerUser: number;
  /** Seconds; 0 or less = off. */
  readonly rotationGraceSeconds: number;
  readonly refreshCookie: boolean;
  /** Owners are told of sign-ins by devices their account has not been used with. */
  readonly newDeviceNotice: boolean;
}

export interface RegistrationConfig {
  readonly mode: "open" | "invite_only" | "closed";
  readonly verification: "none" | "optional" | "required";
  /** Accounts older than this need no verification at login (policy `required`). */
  readonly verificationExemptBefore: Date;
  readonly hideExisting: boolean;
  /** Managers of groups are not told which addresses have an account. */
  readonly hideFromManagers: boolean;
  /** `CreateUser` stores names and addresses as they are given. */
  readonly uncheckedCreateUser: boolean;
  readonly reservedUsernames: readonly string[];
  readonly verificationSendTimeoutMs: number;
}

export interface PasswordConfig {
  readonly minLength: number;
  readonly maxLength: number;
  readonly argon2: { readonly memory: number; readonly iterations: number; readonly parallelism: number };
  /** Requests waiting for a hash before new ones are refused with 503. */
  readonly queueLimit: number;
  readonly breachedCheck: boolean;
  readonly breachedFilterPath: string | undefined;
  readonly contextWords: readonly string[];
}

export interface PasswordlessConfig {
  readonly enabled: boolean;
  readonly autoRegister: boolean;
}

export interface MfaConfig {
  readonly mode: "disabled" | "optional" | "required";
  /** The first factor of an account ends its other sessions. */
  readonly endsSessions: boolean;
  readonly methods: readonly ("email" | "sms" | "totp")[];
  /** Under mode `required` a sign-in by passkey needs no further factor. */
  readonly passkeyCounts: boolean;
}

/** What makes a session fresh, and where it has to be. */
export interface StepUpConfig {
  /** Whoever has a second factor renews with it. */
  readonly strict: boolean;
  /** Asked for before credentials are made and other people's accounts changed. */
  readonly admin: boolean;
}

export interface PasskeyConfig {
  /** Blank = there are none. */
  readonly rpId: string;
  readonly rpName: string;
  readonly origins: readonly string[];
  readonly userVerification: "required" | "preferred";
  readonly maxPerUser: number;
}

export interface LanguageConfig {
  /** Undefined when not configured: then only the default is supported and capabilities omit the list. */
  readonly configured: readonly string[] | undefined;
  readonly supported: readonly string[];
  readonly default: string;
}

/** What all identity providers share. */
export interface FederationConfig {
  /** Origin (and path) of redirect URIs registered at the providers; the base URL unless configured; no trailing slash. */
  readonly publicUrl: string;
  /** Linking a provider demands fresh authentication, as unlinking does. */
  readonly linkRequiresStepUp: boolean;
  /** Linking ends in a session of its own, as in the contract. */
  readonly linkSession: boolean;
  /** Whether numeric subjects stored in exponent form are rewritten when met (spec 22 §1.4.1). */
  readonly legacySubjects: "rewrite" | "keep";
  /** Whether an address the provider has not verified has to be confirmed before it is a new account's (spec 22 §8.2). */
  readonly unverifiedEmail: "verify" | "store";
  /** Tokens in the URL fragment (the contract), or a one-time code the front end exchanges. */
  readonly resultMode: "fragment" | "code";
}

export interface SolanaConfig {
  readonly enabled: boolean;
  readonly network: "mainnet" | "testnet" | "devnet";
  readonly domain: string;
  readonly nameService: {
    readonly enabled: boolean;
    readonly url: string | undefined;
    readonly timeoutMs: number;
  };
}

export interface ApiKeyConfig {
  /** Without the `_st_` marker; empty allowed. */
  readonly prefix: string;
  /** Seconds; 0 = no cap. */
  readonly maxTtlSeconds: number;
}

export interface PersonaConfig {
  readonly name: string;
  readonly parent: string;
  readonly roles: readonly {
    readonly name: string;
    readonly permissions: readonly string[];
    readonly requiresMfa: boolean;
  }[];
  readonly capabilities: {
    readonly apiKeys: boolean;
    readonly remoteApplications: boolean;
    readonly customRoles: boolean;
  };
  readonly catalog: readonly string[];
  readonly requireConsent: boolean;
  /** [later] self-service creation through `POST /{persona}`. */
  readonly selfServiceCreation: boolean;
  /** What users may call the groups they make themselves; absent in the parts of a persona that say nothing of it. */
  readonly selfServiceSlugs?: PersonaSlugs | undefined;
}

export interface PersonaSlugs {
  /** Regular expression for the whole slug, besides the syntax of slugs. */
  readonly pattern: string | undefined;
  /** Lower-case. */
  readonly reserved: readonly string[];
  /** Role in the root group that may use reserved slugs. */
  readonly reservedRole: string;
}

export interface LimitPolicyConfig {
  /** False switches every limit off (benches, closed networks). */
  readonly enabled: boolean;
  /** Per-bucket overrides of the built-in table; `"off"` removes the limit. */
  readonly buckets: Readonly<
    Record<
      string,
      "off" | { readonly limit: number; readonly windowSeconds: number; readonly cooldownSeconds?: number }
    >
  >;
}

export interface ApplicationsConfig {
  readonly selfRegistration: boolean;
  readonly approveByDefault: boolean;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface DelegationConfig {
  readonly audiences: readonly string[];
}

export interface DocumentsConfig {
  readonly readerSlugs: readonly string[];
}

export interface BootstrapConfig {
  readonly path: string | undefined;
}

export interface RetentionConfig {
  /** Days sign-in history is kept; negative = for ever. */
  readonly sessionEventDays: number;
  /** Days until soft-deleted users are purged; 0 = never. */
  readonly purgeRevokesApiKeys: boolean;
  readonly purgeDeletedAfterDays: number;
  readonly auditDays: number;
}

export interface DevelopmentConfig {
  readonly mintSecret: string | undefined;
  /** `/dev/messages` and kin. */
  readonly endpoints: boolean;
  readonly staticEntitlements: readonly string[] | undefined;
}

export interface LogConfig {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly pretty: boolean;
  /** One line a request; JWKS and health excepted. */
  readonly access: boolean;
}
