import { describe, expect, test } from "vitest";
import { limitBuckets } from "../../../src/config/sections/limits.ts";
import { buckets } from "../../../src/core/limits/buckets.ts";
import { config, fromYaml, load, problems, production, yamlProblems } from "./load.ts";

describe("the file", () => {
  test("gives what has a path, and the environment wins", () => {
    const yaml = `
registration:
  mode: invite_only
  reserved_usernames: [admin, "a,b"]
tokens: {access_ttl: 5m, audiences: [one, two]}
sessions:
  max_per_user: 7
federation: {link_requires_step_up: on}
`;
    const made = fromYaml(yaml, { AUTHKIT_ACCESS_TOKEN_TTL: "10m" });
    expect(made.registration).toMatchObject({ mode: "invite_only", reservedUsernames: ["admin", "a,b"] });
    expect(made.tokens.accessTtlSeconds).toBe(600);
    expect(made.audiences).toEqual(["one", "two"]);
    expect(made.sessions.maxPerUser).toBe(7);
    expect(made.federation.linkRequiresStepUp).toBe(true);
  });

  test("may be empty, have empty keys and be JSON", () => {
    expect(fromYaml("").issuer).toBe("http://localhost:8080");
    expect(fromYaml("registration:\n  mode:\npersonas:\n").registration.mode).toBe("open");
    expect(fromYaml('{"$schema": "x", "mfa": {"mode": "disabled"}}').mfa.mode).toBe("disabled");
  });

  test("a mistake in it is found even where the environment overrides it", () => {
    expect(yamlProblems("mfa:\n  mode: sometimes", { AUTHKIT_2FA_MODE: "optional" })).toEqual([
      'authkit.yaml:2: mfa.mode: "sometimes" is none of these; must be one of `disabled`, `optional`, `required`',
    ]);
  });

  test.each([
    [
      "regstration:\n  mode: open",
      "authkit.yaml:1: regstration: is not a known setting; did you mean registration?",
    ],
    ["a: 1", "authkit.yaml:1: a: is not a known setting"],
    [
      "registration:\n  mod: open",
      "authkit.yaml:2: registration.mod: is not a known setting; did you mean registration.mode?",
    ],
    ["registration: open", "authkit.yaml:1: registration: is not a map of settings"],
    ["- a", "authkit.yaml:1: the file: is not a map of settings"],
    [
      "\n\ntokens:\n  access_ttl: 15",
      'authkit.yaml:4: tokens.access_ttl: "15" is not a duration; must be a duration such as',
    ],
    ["strict_status: maybe", 'authkit.yaml:1: strict_status: "maybe" is neither true nor false'],
    ["tokens: {audiences: []}", "authkit.yaml:1: tokens.audiences: the value has no element"],
    ["tokens:\n  audiences:\n    - [a]", "authkit.yaml:2: tokens.audiences: the value is not a single value"],
    ["contract: {a: b}", "authkit.yaml:1: contract: the value is not a single value"],
    ["tokens:\n  skew: 1s\n  skew: 2s", "authkit.yaml:3: Map keys must be unique"],
    ["a: [", "authkit.yaml:1: "],
    ["frontend:\n  reset_path: //evil", 'authkit.yaml:2: frontend.reset_path: "//evil" names a host'],
    ["mfa: &loop\n  mode: *loop", "authkit.yaml:"],
  ])("%j is refused with its line", (yaml, message) => {
    const found = yamlProblems(yaml);
    expect(found.length).toBeGreaterThan(0);
    expect(found[0]).toContain(message);
  });

  test("a missing file names the variable", () => {
    expect(problems({ AUTHKIT_CONFIG: "/etc/none.yaml" })).toEqual([
      'AUTHKIT_CONFIG: "/etc/none.yaml" cannot be read: ENOENT',
    ]);
  });

  test("variables of the environment stand inside strings", () => {
    const yaml = `frontend:\n  base_url: https://\${HOST}/x\npasskeys: {rp_name: '$\${HOST} \${HOST}'}`;
    const made = fromYaml(yaml, { HOST: "localhost:3000" });
    expect(made.baseUrl).toBe("https://localhost:3000/x");
    expect(made.passkeys.rpName).toBe(`\${HOST} localhost:3000`);
    expect(yamlProblems(yaml)).toContain(
      `authkit.yaml:2: \${HOST} is not set in the environment; set it, or write $\${ for a literal \${`,
    );
  });

  test("anchors are understood", () => {
    const made = fromYaml("tokens: {access_ttl: &t 5m}\nsessions: {refresh_ttl: *t}");
    expect([made.tokens.accessTtlSeconds, made.sessions.refreshTtlSeconds]).toEqual([300, 300]);
  });

  test("names of the prototype are keys like others", () => {
    expect(yamlProblems("__proto__: {a: 1}\nconstructor: 1")).toHaveLength(2);
  });
});

describe("limits", () => {
  test("buckets are overridden or switched off", () => {
    const made = fromYaml(`
limits:
  enabled: false
  buckets:
    auth_register: {limit: 20, window: 1h, cooldown: 10s}
    auth_token: {limit: 300, window: 1m}
    auth_logout: "off"
`);
    expect(made.limits).toEqual({
      enabled: false,
      buckets: {
        auth_register: { limit: 20, windowSeconds: 3_600, cooldownSeconds: 10 },
        auth_token: { limit: 300, windowSeconds: 60 },
        auth_logout: "off",
      },
    });
  });

  test.each([
    [
      "auth_registr: 'off'",
      "authkit.yaml:3: limits.buckets.auth_registr: is not a known name; did you mean auth_register?",
    ],
    ["auth_register: never", 'limits.buckets.auth_register: "never" is none of these'],
    ["auth_register: {limit: 0, window: 1h}", 'limits.buckets.auth_register.limit: "0" is out of range'],
    ["auth_register: {limit: 5}", "limits.buckets.auth_register: lacks window"],
    ["auth_register: {limit: 5, window: 10ms}", "limits.buckets.auth_register: has a window out of range"],
    [
      "auth_register: {limit: 5, window: 1m, cooldown: 2m}",
      "limits.buckets.auth_register: has a cooldown out of range",
    ],
    [
      "auth_register: {limit: 5, window: 1m, burst: 2}",
      "limits.buckets.auth_register.burst: is not a known setting",
    ],
    ["auth_register: [1]", "limits.buckets.auth_register: is not a map"],
  ])("%s is refused", (line, message) => {
    expect(yamlProblems(`limits:\n  buckets:\n    ${line}`)).toEqual([expect.stringContaining(message)]);
  });

  test("every bucket in use can be overridden", () => {
    const known = new Set<string>(limitBuckets);
    expect(Object.keys(buckets).filter((name) => !known.has(name))).toEqual([]);
  });
});

describe("senders", () => {
  test("each kind", () => {
    const smtp =
      "senders: {app_name: Acme, mail: {kind: smtp, url: 'smtps://u@h:465', password_file: /p, from: 'A <a@b.example>'}, sms: {kind: console}}";
    expect(fromYaml(smtp, {}, { "/p": "pw\n" }).senders).toEqual({
      mail: { kind: "smtp", url: "smtps://u@h:465", from: "A <a@b.example>", password: "pw" },
      ...{ sms: { kind: "console" }, appName: "Acme", templates: undefined },
    });
    const hooks =
      "senders:\n  mail: {kind: webhook, url: https://h/m, secret: s1, from: a@b}\n  sms: {kind: webhook, url: https://h/s, secret: s2}";
    expect(fromYaml(hooks, production).senders).toMatchObject({
      mail: { kind: "webhook", url: "https://h/m", secret: "s1", from: "a@b" },
      sms: { kind: "webhook", url: "https://h/s", secret: "s2" },
    });
    const twilio = `senders: {sms: {kind: twilio, account_sid: AC1, auth_token: '\${T}', messaging_service_sid: MG1}}`;
    expect(fromYaml(twilio, { T: "tok" }).senders.sms).toEqual({
      ...{
        kind: "twilio",
        accountSid: "AC1",
        authToken: "tok",
        messagingServiceSid: "MG1",
        baseUrl: "https://api.twilio.com",
      },
    });
  });

  test("the environment's sender wins over the file's", () => {
    const made = fromYaml("senders: {mail: {kind: webhook, url: https://h/m, secret: s, from: a@b}}", {
      AUTHKIT_SMTP_URL: "smtp://h",
      AUTHKIT_SMTP_PASSWORD: " p ",
      AUTHKIT_MAIL_FROM: "x@y",
    });
    expect(made.senders.mail).toEqual({ kind: "smtp", url: "smtp://h", from: "x@y", password: " p " });
  });

  test("Twilio and webhooks by environment", () => {
    const made = config({
      ...{
        AUTHKIT_TWILIO_ACCOUNT_SID: "AC",
        AUTHKIT_TWILIO_AUTH_TOKEN: "t",
        AUTHKIT_TWILIO_MESSAGING_SERVICE_SID: "MG",
      },
      ...{
        AUTHKIT_MAIL_WEBHOOK_URL: "https://h",
        AUTHKIT_MAIL_WEBHOOK_SECRET: "s",
        AUTHKIT_MAIL_FROM: "a@b",
      },
    });
    expect(made.senders).toMatchObject({
      mail: { kind: "webhook", url: "https://h", secret: "s" },
      sms: { kind: "twilio", accountSid: "AC" },
    });
    expect(
      config({ AUTHKIT_SMS_WEBHOOK_URL: "https://h", AUTHKIT_SMS_WEBHOOK_SECRET: "s" }).senders.sms,
    ).toEqual({
      ...{ kind: "webhook", url: "https://h", secret: "s" },
    });
  });

  test.each([
    [
      "senders: {mail: {kind: pigeon}}",
      "senders.mail.kind: has no known kind; must be one of smtp, webhook, console",
    ],
    ["senders: {mail: {from: a@b}}", "senders.mail: has no known kind"],
    ["senders: {mail: {kind: smtp, url: 'smtp://h'}}", "senders.mail: lacks from"],
    [
      "senders: {mail: {kind: smtp, url: 'http://h', from: a@b}}",
      "senders.mail.url: the value is no SMTP URL",
    ],
    [
      "senders: {mail: {kind: smtp, url: 'smtp://h', from: nobody}}",
      'senders.mail.from: "nobody" is no mail address',
    ],
    [
      "senders: {mail: {kind: webhook, url: https://h, from: a@b}}",
      "senders.mail: lacks secret; give secret or secret_file",
    ],
    [
      "senders: {sms: {kind: twilio, account_sid: A, messaging_service_sid: M}}",
      "senders.sms: lacks auth_token",
    ],
    [
      "senders: {sms: {kind: webhook, url: http://h.example, secret: s}}",
      'senders.sms: "http://h.example" is not https',
    ],
  ])("%s is refused", (yaml, message) => {
    expect(yamlProblems(yaml)).toEqual([expect.stringContaining(message)]);
  });

  test("the console is for development, half a sender is none", () => {
    expect(yamlProblems("senders: {mail: {kind: console}}", production)).toEqual([
      expect.stringContaining("senders.mail: is the console in production"),
    ]);
    expect(problems({ AUTHKIT_SMTP_URL: "smtp://h" })).toEqual([
      expect.stringContaining("AUTHKIT_MAIL_FROM: is not set beside a mail sender"),
    ]);
    expect(problems({ AUTHKIT_SMTP_URL: "imap://u:pw@h", AUTHKIT_MAIL_FROM: "a@b" })).toEqual([
      expect.stringContaining("AUTHKIT_SMTP_URL: the value is no SMTP URL"),
    ]);
    expect(problems({ AUTHKIT_TWILIO_ACCOUNT_SID: "A" })).toEqual([
      "AUTHKIT_TWILIO_ACCOUNT_SID: is set without AUTHKIT_TWILIO_AUTH_TOKEN and AUTHKIT_TWILIO_MESSAGING_SERVICE_SID; set AUTHKIT_TWILIO_AUTH_TOKEN and AUTHKIT_TWILIO_MESSAGING_SERVICE_SID too",
    ]);
    expect(problems({ AUTHKIT_MAIL_WEBHOOK_URL: "https://h", AUTHKIT_MAIL_FROM: "a@b" })).toEqual([
      expect.stringContaining("AUTHKIT_MAIL_WEBHOOK_SECRET"),
    ]);
  });
});

describe("applications, delegation, documents", () => {
  const org = "personas: [{name: org, parent: root}]\n";

  test("present sections switch their parts on", () => {
    const made =
      fromYaml(`${org}applications: {self_registration: true, org_persona: org, approve_by_default: false}
delegation: {audiences: [inference]}
documents: {reader_slugs: [reader]}`);
    expect(made.applications).toEqual({
      selfRegistration: true,
      approveByDefault: false,
      options: { orgPersona: "org" },
    });
    expect(made.delegation).toEqual({ audiences: ["inference"] });
    expect(made.documents).toEqual({ readerSlugs: ["reader"] });
    expect(config({})).toMatchObject({
      delegation: undefined,
      documents: undefined,
      applications: { selfRegistration: false },
    });
  });

  test("self-registration needs a persona directly below root", () => {
    expect(yamlProblems("applications: {self_registration: true}")).toHaveLength(1);
    const deeper =
      "personas: [{name: org, parent: root}, {name: team, parent: org}]\napplications: {self_registration: true, org_persona: team}";
    expect(yamlProblems(deeper)).toEqual([
      expect.stringContaining("without an org_persona declared directly below root"),
    ]);
    expect(yamlProblems("delegation: {audiences: []}")).toHaveLength(1);
    expect(yamlProblems("documents: {}")).toEqual([expect.stringContaining("documents: lacks reader_slugs")]);
  });
});

describe("wallets", () => {
  test("a network mounts the routes", () => {
    expect(config({ AUTHKIT_SOLANA_NETWORK: "mainnet-beta" }).solana).toMatchObject({
      enabled: true,
      network: "mainnet",
      domain: "localhost",
    });
    expect(config({ ...production, AUTHKIT_BASE_URL: "https://app.auth.example.com" }).solana).toEqual({
      ...{ enabled: false, network: "mainnet", domain: "app.auth.example.com" },
      nameService: { enabled: false, url: undefined, timeoutMs: 3_000 },
    });
    expect(fromYaml("solana: {network: devnet, name_service: on}").solana.nameService).toEqual({
      ...{ enabled: true, url: "https://sdk-proxy.sns.id/favorite-domain", timeoutMs: 3_000 },
    });
  });
});

test("the same setting in two files is refused", () => {
  const env = { AUTHKIT_CONFIG: "a.yaml", AUTHKIT_RBAC_FILE: "b.yaml" };
  expect(problems(env, { "a.yaml": "personas: []", "b.yaml": "\npersonas: []" })).toEqual([
    "b.yaml:2: personas: is also given in a.yaml; keep one",
  ]);
});

test("warnings of the file name nothing secret", () => {
  expect(load({ AUTHKIT_CONFIG: "a" }, { a: "tokens: {skew: 1s}" }).warnings).toEqual([]);
});
