import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { ConfigError, loadDatabaseConfig } from "../../../src/config/index.ts";
import { config, load, problems, production } from "./load.ts";

function pem(kind: "rsa-2048" | "rsa-1024" | "p256" | "k256" | "ed25519" | "x25519"): string {
  const { privateKey } =
    kind === "ed25519"
      ? generateKeyPairSync("ed25519")
      : kind === "x25519"
        ? generateKeyPairSync("x25519")
        : kind.startsWith("rsa")
          ? generateKeyPairSync("rsa", { modulusLength: Number(kind.slice(4)) })
          : generateKeyPairSync("ec", { namedCurve: kind === "p256" ? "P-256" : "secp256k1" });
  return privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

describe("environment classes", () => {
  test.each([[undefined], [""], ["dev"], ["Development"], ["LOCAL"], [" test "]])(
    "%j is development",
    (name) => {
      expect(config({ AUTHKIT_ENV: name }).environment.class).toBe("development");
    },
  );

  test.each(["prod", "production", "staging", "Prod", "qa", "devel"])("%j is production", (name) => {
    expect(config({ ...production, AUTHKIT_ENV: name }).environment).toEqual({
      name,
      class: "production",
      explicit: true,
    });
  });

  test("whether it was set at all is kept", () => {
    expect(config({}).environment).toEqual({ name: "dev", class: "development", explicit: false });
  });

  test.each(["ENV", "APP_ENV", "ENVIRONMENT"])("%s saying production without AUTHKIT_ENV refuses", (name) => {
    expect(problems({ [name]: "Production" })).toEqual([
      `AUTHKIT_ENV: is not set while ${name} says production; set AUTHKIT_ENV to production, or to dev on purpose`,
    ]);
    expect(problems({ [name]: "production", AUTHKIT_ENV: "dev" })).toEqual([]);
  });
});

describe("what production demands", () => {
  test("the least set-up is accepted without warnings", () => {
    const { config: made, warnings } = load(production);
    expect(warnings).toEqual([]);
    expect(made.senders).toMatchObject({ mail: undefined, sms: undefined });
    expect(made.development).toEqual({
      mintSecret: undefined,
      endpoints: false,
      staticEntitlements: undefined,
    });
    expect(made.database.migrateOnStart).toBe(false);
    expect(made.solana).toMatchObject({ enabled: false, network: "mainnet" });
  });

  test.each([
    ["AUTHKIT_ISSUER", "AUTHKIT_ISSUER: is required"],
    ["DB_URL", "DB_URL: is not set, and neither is DATABASE_URL"],
    ["AUTHKIT_REDIS_ADDR", "AUTHKIT_REDIS_URL: is not set, and production needs Redis"],
    ["AUTHKIT_MGMT_TOKEN", "AUTHKIT_MGMT_TOKEN: is not set, and production needs a management token"],
  ])("without %s it refuses", (name, message) => {
    expect(problems({ ...production, [name]: undefined })).toEqual([expect.stringContaining(message)]);
  });

  test("every problem is reported at once, with the warnings beside them", () => {
    const found = problems({ AUTHKIT_ENV: "production", AUTHKIT_2FA_MODE: "on" });
    expect(found).toHaveLength(5);
    try {
      load({ AUTHKIT_ENV: "production", AUTHKIT_ISUER: "https://x" });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError);
      if (error instanceof ConfigError)
        expect(error.warnings).toEqual([
          "AUTHKIT_ISUER: is not a known variable; did you mean AUTHKIT_ISSUER?",
        ]);
    }
  });

  test("plain http is warned of, weak tokens too", () => {
    const { warnings } = load({
      ...production,
      AUTHKIT_ISSUER: "http://auth.example.com",
      AUTHKIT_MGMT_TOKEN: "short",
    });
    expect(warnings).toEqual([
      "AUTHKIT_ISSUER: http://auth.example.com is plain HTTP: tokens would travel readable, and passkeys do not work",
      "AUTHKIT_MGMT_TOKEN: a token has fewer than 32 characters",
    ]);
  });

  test("development things stay out", () => {
    expect(problems({ ...production, DB_URL: "embedded" })).toEqual([
      expect.stringContaining("for development only"),
    ]);
    expect(problems({ ...production, AUTHKIT_STATIC_ENTITLEMENTS: "pro" })).toEqual([
      expect.stringContaining("outside development"),
    ]);
    expect(config({ ...production, AUTHKIT_DEV_MINT_SECRET: "s" }).development.mintSecret).toBeUndefined();
  });
});

test("a command for the database alone demands nothing else", () => {
  const env = {
    AUTHKIT_ENV: "production",
    DB_URL: "postgres://db/x",
    AUTHKIT_SCHEMA: "auth",
    AUTHKIT_2FA_MODE: "never",
  };
  expect(loadDatabaseConfig(env).config.database).toMatchObject({
    url: "postgres://db/x",
    schema: "auth",
    migrateOnStart: false,
  });
  expect(() => loadDatabaseConfig({ ...env, DB_URL: undefined, AUTHKIT_SCHEMA: "A" })).toThrow(
    /^DB_URL: .*\nAUTHKIT_SCHEMA: |^AUTHKIT_SCHEMA: .*\nDB_URL: /,
  );
});

describe("management API", () => {
  test("several tokens and the next one are accepted, the current one first", () => {
    const { management } = config({
      ...production,
      AUTHKIT_MGMT_TOKEN: "a, b",
      AUTHKIT_MGMT_TOKEN_NEXT: "c,a",
    });
    expect(management.tokens).toEqual(["a", "b", "c"]);
  });

  test("production may do without it", () => {
    const env = {
      ...production,
      AUTHKIT_MGMT_TOKEN: undefined,
      AUTHKIT_MGMT_DISABLED: "true",
      AUTHKIT_CODE_SECRET: "x".repeat(32),
    };
    expect(config(env).management).toMatchObject({ tokens: [], open: false });
    expect(problems({ ...env, AUTHKIT_CODE_SECRET: undefined })).toEqual([
      "AUTHKIT_CODE_SECRET: is not set, and no other shared secret is there to derive it from; set it to at least 32 random bytes, the same on every node",
    ]);
    expect(problems({ ...env, AUTHKIT_MGMT_TOKEN: "t" })).toEqual([
      expect.stringContaining("AUTHKIT_MGMT_DISABLED: is true while a management token is set"),
    ]);
  });

  test("it is open only when asked for, in development, on loopback, without tokens", () => {
    const open = { AUTHKIT_MGMT_OPEN: "true", AUTHKIT_LISTEN_ADDR: "127.0.0.1:8080" };
    expect(config(open).management).toMatchObject({ open: true, tokens: [] });
    expect(
      config({ ...open, AUTHKIT_LISTEN_ADDR: ":8080", AUTHKIT_MGMT_LISTEN_ADDR: "[::1]:9090" }).management
        .open,
    ).toBe(true);
    expect(problems({ ...open, AUTHKIT_LISTEN_ADDR: ":8080" })).toEqual([
      expect.stringContaining("listens on :8080"),
    ]);
    expect(problems({ ...open, AUTHKIT_LISTEN_ADDR: "0.0.0.0:8080" })).toHaveLength(1);
    expect(problems({ ...open, AUTHKIT_MGMT_LISTEN_ADDR: ":9090" })).toHaveLength(1);
    expect(problems({ ...open, AUTHKIT_MGMT_TOKEN: "t" })).toEqual([
      expect.stringContaining("while a management token is set"),
    ]);
    expect(problems({ ...production, ...open })).toEqual(
      expect.arrayContaining([expect.stringContaining("AUTHKIT_MGMT_OPEN: is true outside development")]),
    );
    expect(config({}).management.open).toBe(false);
  });

  test("the introspection token is another one", () => {
    expect(config({ ...production, AUTHKIT_INTROSPECT_TOKEN: "i" }).management.introspectToken).toBe("i");
    const same = { ...production, AUTHKIT_INTROSPECT_TOKEN: production["AUTHKIT_MGMT_TOKEN"] };
    expect(problems(same)).toEqual([expect.stringContaining("is also a management token")]);
  });

  test("listeners have ports of their own", () => {
    expect(problems({ AUTHKIT_MGMT_LISTEN_ADDR: "127.0.0.1:8080" })).toHaveLength(1);
    expect(problems({ AUTHKIT_METRICS_LISTEN_ADDR: ":8080" })).toHaveLength(1);
    expect(
      problems({ AUTHKIT_METRICS_LISTEN_ADDR: ":9100", AUTHKIT_MGMT_LISTEN_ADDR: ":9100" }),
    ).toHaveLength(1);
    expect(problems({ AUTHKIT_LISTEN_ADDR: ":0", AUTHKIT_MGMT_LISTEN_ADDR: ":0" })).toEqual([]);
  });
});

describe("keys", () => {
  test("id and private key come together", () => {
    expect(problems({ AUTHKIT_ACTIVE_KEY_ID: "k" })).toEqual([
      "AUTHKIT_ACTIVE_KEY_ID: is set without AUTHKIT_ACTIVE_PRIVATE_KEY_PEM; set both or neither",
    ]);
    expect(problems({ AUTHKIT_ACTIVE_PRIVATE_KEY_PEM: pem("p256") })).toEqual([
      expect.stringContaining("set both or neither"),
    ]);
  });

  test.each(["rsa-2048", "p256", "ed25519"] as const)(
    "%s is accepted, also with literal line breaks",
    (kind) => {
      const key = pem(kind);
      const made = config({
        AUTHKIT_ACTIVE_KEY_ID: "k",
        AUTHKIT_ACTIVE_PRIVATE_KEY_PEM: key.trim().replaceAll("\n", "\\n"),
      });
      expect(made.keys).toMatchObject({ activeKeyId: "k", activePrivateKeyPem: key.trim() });
    },
  );

  test.each([
    ["rsa-1024", "is an RSA key of 1024 bits"],
    ["k256", "is a key on the curve secp256k1"],
    ["x25519", "is a key of the type x25519"],
  ] as const)("%s is refused", (kind, message) => {
    const env = { AUTHKIT_ACTIVE_KEY_ID: "k", AUTHKIT_ACTIVE_PRIVATE_KEY_PEM: pem(kind) };
    expect(problems(env)).toEqual([expect.stringContaining(message)]);
  });

  test("what is no key is refused without repeating it", () => {
    const [only = ""] = problems({
      AUTHKIT_ACTIVE_KEY_ID: "k",
      AUTHKIT_ACTIVE_PRIVATE_KEY_PEM: "not-a-key-at-all",
    });
    expect(only).toContain("is no private key");
    expect(only).not.toContain("not-a-key-at-all");
  });

  test("the old names work with a warning", () => {
    const { config: made, warnings } = load({
      ACTIVE_KEY_ID: "k",
      ACTIVE_PRIVATE_KEY_PEM: pem("p256"),
      PUBLIC_KEYS: '{"old":"p\\nq"}',
    });
    expect(made.keys.publicKeys).toEqual({ old: "p\nq" });
    expect(warnings).toHaveLength(3);
  });

  test("the key-ring secret is 32 bytes, the TOTP key 16, 24 or 32", () => {
    const hex = "ab".repeat(32);
    expect(config({ AUTHKIT_KEYRING_SECRET: hex }).keys.keyringSecret?.toString("hex")).toBe(hex);
    expect(problems({ AUTHKIT_KEYRING_SECRET: "ab".repeat(16) })).toEqual([
      expect.stringContaining("does not have the right length"),
    ]);
    expect(config({ AUTHKIT_TOTP_SECRET_KEY: "ab".repeat(24) }).keys.totpSecretKey).toHaveLength(24);
    expect(problems({ AUTHKIT_TOTP_SECRET_KEY: "abc" })).toHaveLength(1);
  });

  test("the code secret is the same wherever its source is the same", () => {
    const codeSecret = (env: NodeJS.ProcessEnv): string =>
      config({ ...production, ...env }).keys.codeSecret.toString("hex");
    expect(codeSecret({})).toBe(codeSecret({}));
    expect(codeSecret({})).toMatch(/^[0-9a-f]{64}$/);
    expect(
      new Set([
        codeSecret({}),
        codeSecret({ AUTHKIT_MGMT_TOKEN: "another" }),
        codeSecret({ AUTHKIT_KEYRING_SECRET: "cd".repeat(32) }),
      ]).size,
    ).toBe(3);
    expect(codeSecret({ AUTHKIT_CODE_SECRET: "y".repeat(32) })).toBe(
      codeSecret({ AUTHKIT_CODE_SECRET: "y".repeat(32), AUTHKIT_MGMT_TOKEN: "z" }),
    );
    expect(problems({ ...production, AUTHKIT_CODE_SECRET: "short" })).toEqual([
      expect.stringContaining("shorter than 32 bytes"),
    ]);
  });

  test("further key-ring secrets open only, so they need one that seals", () => {
    const [current, former] = ["ab".repeat(32), "cd".repeat(32)];
    const made = config({
      AUTHKIT_KEYRING_SECRET: current,
      AUTHKIT_KEYRING_FORMER_SECRETS: `${former}, ${current}`,
    });
    expect(made.keys.keyringFormerSecrets.map((secret) => secret.toString("hex"))).toEqual([former, current]);
    expect(problems({ AUTHKIT_KEYRING_FORMER_SECRETS: former })).toEqual([
      expect.stringContaining("is set without AUTHKIT_KEYRING_SECRET"),
    ]);
    expect(
      problems({ AUTHKIT_KEYRING_SECRET: current, AUTHKIT_KEYRING_FORMER_SECRETS: `${former},abcd` }),
    ).toEqual([expect.stringMatching(/AUTHKIT_KEYRING_FORMER_SECRETS.*does not have the right length/)]);
  });

  test("a code secret that is exchanged stays among the former ones, wherever it comes from", () => {
    const keys = (env: NodeJS.ProcessEnv) => {
      const { codeSecret, codeFormerSecrets } = config({ ...production, ...env }).keys;
      return {
        current: codeSecret.toString("hex"),
        former: codeFormerSecrets.map((secret) => secret.toString("hex")),
      };
    };
    const exchanges = (
      name: string,
      formerName: string,
      older: string,
      newer: string,
      base: NodeJS.ProcessEnv = {},
    ) => {
      const [before, after] = [
        keys({ ...base, [name]: older }),
        keys({ ...base, [name]: newer, [formerName]: older }),
      ];
      expect(after.current).not.toBe(before.current);
      expect(after.former).toContain(before.current);
      expect(after.former).not.toContain(after.current);
      expect(keys({ ...base, [name]: older, [formerName]: newer }).former).toContain(after.current);
    };
    const keyring = { AUTHKIT_KEYRING_SECRET: "cd".repeat(32) };
    exchanges("AUTHKIT_CODE_SECRET", "AUTHKIT_CODE_FORMER_SECRETS", "x".repeat(32), "y".repeat(32));
    exchanges("AUTHKIT_KEYRING_SECRET", "AUTHKIT_KEYRING_FORMER_SECRETS", "ab".repeat(32), "cd".repeat(32));
    exchanges("AUTHKIT_MGMT_TOKEN", "AUTHKIT_MGMT_TOKEN_NEXT", "older-token", "newer-token");
    // One of its own in place of a derived one.
    expect(keys({ ...keyring, AUTHKIT_CODE_SECRET: "x".repeat(32) }).former).toEqual([keys(keyring).current]);
    expect(keys({ ...keyring, AUTHKIT_MGMT_TOKEN: "a,b" }).former).toEqual([]);
    expect(problems({ ...production, AUTHKIT_CODE_FORMER_SECRETS: "short" })).toEqual([
      expect.stringMatching(/AUTHKIT_CODE_FORMER_SECRETS.*shorter than 32 bytes/),
    ]);
  });

  test("verify-only excludes a signing key; rotation is neither negative nor hectic", () => {
    const key = { AUTHKIT_ACTIVE_KEY_ID: "k", AUTHKIT_ACTIVE_PRIVATE_KEY_PEM: pem("p256") };
    expect(problems({ ...key, AUTHKIT_VERIFY_ONLY: "true" })).toHaveLength(1);
    expect(problems({ AUTHKIT_KEY_ROTATION: "-1h" })).toHaveLength(1);
    expect(problems({ AUTHKIT_KEY_ROTATION: "10m" })).toHaveLength(1);
    expect(config({ AUTHKIT_KEY_ROTATION: "0" }).keys.rotationSeconds).toBe(0);
  });
});

describe("tokens, sessions and policies", () => {
  test.each([
    ["", 900],
    ["0", 900],
    ["1s", 1],
    ["24h", 86_400],
  ])("access-token lifetime %j is %d s", (written, seconds) => {
    expect(config({ AUTHKIT_ACCESS_TOKEN_TTL: written }).tokens.accessTtlSeconds).toBe(seconds);
  });

  test.each(["-1s", "999ms", "24h1s"])("access-token lifetime %s is refused", (written) => {
    expect(problems({ AUTHKIT_ACCESS_TOKEN_TTL: written })).toEqual([
      expect.stringContaining("AUTHKIT_ACCESS_TOKEN_TTL: is out of range"),
    ]);
  });

  test("zero and negative values of the session settings mean what the contract says", () => {
    const sessions = (env: NodeJS.ProcessEnv) => config(env).sessions;
    expect(sessions({})).toEqual({
      refreshTtlSeconds: 0,
      maxPerUser: 3,
      rotationGraceSeconds: 30,
      refreshCookie: false,
      newDeviceNotice: true,
    });
    expect(sessions({ AUTHKIT_REFRESH_TOKEN_TTL: "-5h" }).refreshTtlSeconds).toBe(0);
    expect(sessions({ AUTHKIT_REFRESH_TOKEN_TTL: "720h" }).refreshTtlSeconds).toBe(2_592_000);
    expect(sessions({ AUTHKIT_SESSION_MAX_PER_USER: "0" }).maxPerUser).toBe(3);
    expect(sessions({ AUTHKIT_SESSION_MAX_PER_USER: "-7" }).maxPerUser).toBe(-1);
    expect(sessions({ AUTHKIT_REFRESH_ROTATION_GRACE: "-1s" }).rotationGraceSeconds).toBe(0);
    expect(config({ AUTHKIT_VERIFICATION_SEND_TIMEOUT: "-1s" }).registration.verificationSendTimeoutMs).toBe(
      15_000,
    );
  });

  test("required verification needs a sender", () => {
    const required = { ...production, AUTHKIT_REGISTRATION_VERIFICATION: "Required" };
    expect(problems(required)).toEqual([
      expect.stringContaining("is required, but there is neither a mail nor an SMS sender"),
    ]);
    expect(
      config({ ...required, AUTHKIT_SMTP_URL: "smtp://mail", AUTHKIT_MAIL_FROM: "a@b.example" }).registration
        .verification,
    ).toBe("required");
    expect(config({ AUTHKIT_REGISTRATION_VERIFICATION: "required" }).senders.mail?.kind).toBe("console");
  });

  test.each(["none", "optional"])(
    "accounts cannot be hidden by registrations that answer with tokens (verification %s)",
    (policy) => {
      const hiding = { AUTHKIT_HIDE_EXISTING_ACCOUNTS: "true", AUTHKIT_REGISTRATION_VERIFICATION: policy };
      expect(problems(hiding)).toEqual([
        `AUTHKIT_HIDE_EXISTING_ACCOUNTS: cannot hide anything with AUTHKIT_REGISTRATION_VERIFICATION=${policy}: a registration then answers with tokens, and one for a taken address cannot; set AUTHKIT_REGISTRATION_VERIFICATION=required, AUTHKIT_REGISTRATION_MODE=closed, or AUTHKIT_HIDE_EXISTING_ACCOUNTS=false`,
      ]);
      expect(problems({ ...hiding, AUTHKIT_REGISTRATION_MODE: "invite_only" })).toHaveLength(1);
      expect(problems({ ...hiding, AUTHKIT_REGISTRATION_MODE: "closed" })).toEqual([]);
      expect(problems({ ...hiding, AUTHKIT_REGISTRATION_VERIFICATION: "required" })).toEqual([]);
      const strict = { ...hiding, AUTHKIT_HIDE_EXISTING_ACCOUNTS: "false", AUTHKIT_STRICT_STATUS: "true" };
      expect(load(strict).warnings).toEqual([
        `AUTHKIT_STRICT_STATUS: does not hide with AUTHKIT_REGISTRATION_VERIFICATION=${policy} which addresses have accounts: only a registration that waits for verification can`,
      ]);
    },
  );

  test("a required second factor needs a method that can work", () => {
    const env = { ...production, AUTHKIT_2FA_MODE: "required", AUTHKIT_2FA_METHODS: "sms,email" };
    expect(problems(env)).toEqual([expect.stringContaining("no method can work without a sender")]);
    expect(config({ ...env, AUTHKIT_2FA_METHODS: "totp,sms,totp" }).mfa).toEqual({
      mode: "required",
      endsSessions: false,
      methods: ["totp", "sms"],
      passkeyCounts: false,
    });
  });

  test.each([
    ["m=65536,t=1,p=17", "has p=17"],
    ["m=65536,t=0,p=1", "has t=0"],
    ["m=65536,t=21,p=1", "has t=21"],
    ["m=15,t=1,p=2", "has m=15"],
    ["m=1048577,t=1,p=1", "has m=1048577"],
  ])("Argon2 parameters %s are refused", (written, message) => {
    expect(problems({ AUTHKIT_ARGON2: written })).toEqual([expect.stringContaining(message)]);
  });

  test("cheap Argon2 parameters are warned of", () => {
    const { config: made, warnings } = load({ AUTHKIT_ARGON2: "m=1024,t=2,p=1" });
    expect(made.passwords.argon2).toEqual({ memory: 1_024, iterations: 2, parallelism: 1 });
    expect(warnings).toEqual(["AUTHKIT_ARGON2: is cheaper than recommended: t=2 needs m=19456 or more"]);
    expect(load({}).warnings).toEqual([]);
  });

  test("password lengths fit each other, the queue follows the hashing processes", () => {
    expect(problems({ AUTHKIT_PASSWORD_MIN_LENGTH: "200", AUTHKIT_PASSWORD_MAX_LENGTH: "100" })).toHaveLength(
      1,
    );
    expect(config({ AUTHKIT_HASHING_WORKERS: "3" }).passwords.queueLimit).toBe(192);
    expect(config({ AUTHKIT_PASSWORD_BREACHED_FILTER_PATH: "/f" }).passwords.breachedCheck).toBe(true);
  });

  test("retention is counted in days", () => {
    expect(config({}).retention).toEqual({
      sessionEventDays: 365,
      purgeRevokesApiKeys: false,
      purgeDeletedAfterDays: 0,
      auditDays: 365,
    });
    const made = config({
      AUTHKIT_SESSION_EVENT_RETENTION: "-1s",
      AUTHKIT_PURGE_DELETED_AFTER: "720h",
      AUTHKIT_AUDIT_RETENTION: "0",
    });
    expect(made.retention).toEqual({
      sessionEventDays: -1,
      purgeRevokesApiKeys: false,
      purgeDeletedAfterDays: 30,
      auditDays: -1,
    });
  });
});

describe("languages", () => {
  test.each([
    [{}, { configured: undefined, supported: ["en"], default: "en" }],
    [{ AUTHKIT_LANGUAGES: "EN, es" }, { configured: ["en", "es"], supported: ["en", "es"], default: "en" }],
    [
      { AUTHKIT_LANGUAGES: "fr,de", AUTHKIT_DEFAULT_LANGUAGE: "DE" },
      { configured: ["fr", "de"], supported: ["fr", "de"], default: "de" },
    ],
    [{ AUTHKIT_DEFAULT_LANGUAGE: "en" }, { configured: undefined, supported: ["en"], default: "en" }],
  ])("%j", (env, languages) => {
    expect(config(env).languages).toEqual(languages);
  });

  test.each([
    { AUTHKIT_LANGUAGES: "fr,de" },
    { AUTHKIT_DEFAULT_LANGUAGE: "fr" },
    { AUTHKIT_LANGUAGES: "en", AUTHKIT_DEFAULT_LANGUAGE: "es" },
  ])("%j is refused", (env) => {
    expect(problems(env)).toEqual([
      expect.stringMatching(/^AUTHKIT_DEFAULT_LANGUAGE: .*is not among the supported languages/),
    ]);
  });
});

describe("passkeys", () => {
  test("host and origin come from the issuer", () => {
    expect(config(production).passkeys).toMatchObject({
      ...{
        rpId: "auth.example.com",
        rpName: "https://auth.example.com",
        origins: ["https://auth.example.com"],
      },
      userVerification: "required",
    });
  });

  test("a parent domain covers the front end", () => {
    const env = {
      ...production,
      AUTHKIT_BASE_URL: "https://app.example.com",
      AUTHKIT_PASSKEY_RPID: "example.com",
    };
    expect(config(env).passkeys.origins).toEqual(["https://auth.example.com", "https://app.example.com"]);
  });

  test("a front end outside the relying-party id is warned of", () => {
    const { config: made, warnings } = load({ ...production, AUTHKIT_BASE_URL: "https://app.example.com" });
    expect(made.passkeys.origins).toEqual(["https://auth.example.com"]);
    expect(warnings).toEqual([expect.stringContaining("passkeys will not work at https://app.example.com")]);
  });

  test("origins lie on the relying-party id or below it", () => {
    const env = { ...production, AUTHKIT_PASSKEY_RPID: "example.com" };
    expect(
      config({ ...env, AUTHKIT_PASSKEY_ORIGINS: "https://example.com:8443,https://a.b.example.com" }).passkeys
        .origins,
    ).toHaveLength(2);
    for (const wrong of ["https://example.org", "https://notexample.com", "https://com"]) {
      expect(problems({ ...env, AUTHKIT_PASSKEY_ORIGINS: wrong })).toEqual([
        expect.stringContaining(`${wrong} is neither on example.com nor below it`),
      ]);
    }
    expect(problems({ ...production, AUTHKIT_PASSKEY_RPID: "other.example" })).toHaveLength(1);
    expect(
      problems({ ...production, AUTHKIT_ISSUER: "https://10.0.0.1", AUTHKIT_PASSKEY_RPID: "10.0.0.1" }),
    ).toHaveLength(1);
  });
});

describe("addresses", () => {
  test("issuer and base URL lose their trailing slashes; the base URL defaults to the issuer", () => {
    const made = config({ ...production, AUTHKIT_ISSUER: " https://auth.example.com/x// " });
    expect([made.issuer, made.baseUrl, made.federation.publicUrl]).toEqual(
      Array(3).fill("https://auth.example.com/x"),
    );
    const split = config({
      ...production,
      AUTHKIT_FRONTEND_BASE_URL: "https://app.auth.example.com/",
      AUTHKIT_PUBLIC_URL: "https://api.example.com",
    });
    expect([split.baseUrl, split.federation.publicUrl]).toEqual([
      "https://app.auth.example.com",
      "https://api.example.com",
    ]);
  });

  test("an issuer that is no URL is refused", () => {
    expect(problems({ ...production, AUTHKIT_ISSUER: "auth" })).toEqual(
      expect.arrayContaining([expect.stringMatching(/^AUTHKIT_ISSUER: "auth" is no absolute/)]),
    );
  });

  test("development needs nothing", () => {
    const made = config({ AUTHKIT_LISTEN_ADDR: "127.0.0.1:9999" });
    expect(made).toMatchObject({
      issuer: "http://localhost:9999",
      database: { url: "embedded", migrateOnStart: true },
      redis: undefined,
      stateDirectory: ".authkit",
      senders: { mail: { kind: "console" }, sms: { kind: "console" } },
      solana: { enabled: false, network: "testnet" },
      development: { endpoints: true },
    });
    expect(config({ AUTHKIT_MIGRATE_ON_START: "false" }).database.migrateOnStart).toBe(false);
  });

  test("unknown names are reported with the nearest one, service links of container platforms are not", () => {
    const { warnings } = load({
      AUTHKIT_LISEN_ADDR: ":1",
      AUTHKIT_SERVER_SERVICE_HOST: "10.0.0.1",
      AUTHKIT_PORT_8080_TCP_ADDR: "10.0.0.1",
      AUTHKIT_WORKER: "http:0",
      AUTHKIT_SCHEMA_FILE: "/x",
      AUTHKIT_BOOTSTRAP_ON_START: "true",
      AUTHKITX: "other program",
    });
    expect(warnings).toEqual([
      "AUTHKIT_BOOTSTRAP_ON_START: is not read: setting AUTHKIT_BOOTSTRAP_PATH is enough",
      "AUTHKIT_LISEN_ADDR: is not a known variable; did you mean AUTHKIT_LISTEN_ADDR?",
      "AUTHKIT_SCHEMA_FILE: is not read: AUTHKIT_SCHEMA is no secret and has no _FILE form",
    ]);
  });

  test("socket paths stay short enough for the system", () => {
    expect(problems({ AUTHKIT_SOCKET_DIR: `/${"a".repeat(100)}` })).toHaveLength(1);
    const deep = config({ AUTHKIT_STATE_DIR: `/${"a".repeat(100)}` }).server.socketDirectory;
    expect(Buffer.byteLength(deep)).toBeLessThan(90);
    expect(config({}).server.socketDirectory).toBe(".authkit/sockets");
    expect(problems({ AUTHKIT_SHUTDOWN_TIMEOUT: "0" })).toHaveLength(1);
  });
});

test("the configuration is frozen all the way down", () => {
  const made = config(
    { ...production, AUTHKIT_CONFIG: "c" },
    { c: "personas: [{name: org, parent: root, roles: [{name: member}]}]" },
  );
  const open: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null || ArrayBuffer.isView(value) || value instanceof Date)
      return;
    if (!Object.isFrozen(value)) open.push(path);
    for (const [key, member] of Object.entries(value)) visit(member, `${path}.${key}`);
  };
  visit(made, "config");
  expect(open).toEqual([]);
  expect(() => Reflect.set(made.tokens, "accessTtlSeconds", 1)).not.toThrow();
  expect(made.tokens.accessTtlSeconds).toBe(900);
});
