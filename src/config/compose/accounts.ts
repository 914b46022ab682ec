import type {
  MfaConfig,
  PasswordConfig,
  PasswordlessConfig,
  RegistrationConfig,
  RetentionConfig,
  SenderConfig,
  SessionConfig,
  TokenConfig,
} from "../config.ts";
import type { Input } from "./input.ts";

const second = 1_000;
const day = 86_400_000;

export function composeTokens({ values, findings }: Input): TokenConfig {
  const ttl = values.accessTtl === 0 ? 900 * second : values.accessTtl;
  if (ttl < second || ttl > day)
    findings.refuse(
      "AUTHKIT_ACCESS_TOKEN_TTL",
      "is out of range",
      "use 1s to 24h, or 0 for the default of 15m",
    );
  if (values.skew < 0 || values.skew > 300 * second)
    findings.refuse("AUTHKIT_TOKEN_SKEW", "is out of range", "use 0 to 5m");
  return {
    accessTtlSeconds: ttl / second,
    skewSeconds: values.skew / second,
    allowLongMachineTokens: values.longMachineTokens,
    machineTokenIds: values.machineTokenIds,
  };
}

export function composeSessions({ values }: Input): SessionConfig {
  const { sessionsPerUser, rotationGrace } = values;
  return {
    refreshTtlSeconds: Math.max(0, values.refreshTtl / second),
    maxPerUser: sessionsPerUser === 0 ? 3 : Math.max(-1, sessionsPerUser),
    rotationGraceSeconds: rotationGrace === 0 ? 30 : Math.max(0, rotationGrace / second),
    refreshCookie: values.refreshCookie,
    newDeviceNotice: values.newDeviceNotice,
  };
}

export function composeRegistration(
  { values, findings, development }: Input,
  senders: SenderConfig,
): RegistrationConfig {
  if (values.verification === "required" && senders.mail === undefined && senders.sms === undefined) {
    findings.refuse(
      "AUTHKIT_REGISTRATION_VERIFICATION",
      "is required, but there is neither a mail nor an SMS sender",
      development
        ? "configure one"
        : "configure one (AUTHKIT_SMTP_URL, AUTHKIT_TWILIO_ACCOUNT_SID, or senders in AUTHKIT_CONFIG)",
    );
  }
  refuseTellingRegistration(values, findings);
  if (values.hideFromManagers && values.registrationMode === "closed") {
    findings.warn(
      "AUTHKIT_HIDE_ACCOUNTS_FROM_MANAGERS",
      "leaves no way to add a member by e-mail address: a closed registration makes no links",
    );
  }
  return {
    mode: values.registrationMode,
    verification: values.verification,
    verificationExemptBefore: values.verificationExemptBefore,
    hideExisting: values.hideExisting,
    hideFromManagers: values.hideFromManagers,
    uncheckedCreateUser: values.uncheckedCreateUser,
    reservedUsernames: values.reservedUsernames,
    verificationSendTimeoutMs:
      values.verificationSendTimeout <= 0 ? 15 * second : values.verificationSendTimeout,
  };
}

/** A registration that is complete at once answers with tokens; one for a taken address cannot, so the answer tells which it was. */
function refuseTellingRegistration(values: Input["values"], findings: Input["findings"]): void {
  if (values.registrationMode === "closed" || values.verification === "required") return;
  const policy = `AUTHKIT_REGISTRATION_VERIFICATION=${values.verification}`;
  if (values.hideExisting) {
    findings.refuse(
      "AUTHKIT_HIDE_EXISTING_ACCOUNTS",
      `cannot hide anything with ${policy}: a registration then answers with tokens, and one for a taken address cannot`,
      "set AUTHKIT_REGISTRATION_VERIFICATION=required, AUTHKIT_REGISTRATION_MODE=closed, or AUTHKIT_HIDE_EXISTING_ACCOUNTS=false",
    );
  } else if (values.strictStatus) {
    findings.warn(
      "AUTHKIT_STRICT_STATUS",
      `does not hide with ${policy} which addresses have accounts: only a registration that waits for verification can`,
    );
  }
}

const waitingForEachHasher = 64;

export function composePasswords(input: Input): PasswordConfig {
  const { values, findings, cpus } = input;
  if (values.passwordMinLength > values.passwordMaxLength) {
    findings.refuse("AUTHKIT_PASSWORD_MIN_LENGTH", "is above AUTHKIT_PASSWORD_MAX_LENGTH");
  }
  const breachedCheck = values.breachedCheck ?? values.breachedFilter !== undefined;
  return {
    minLength: values.passwordMinLength,
    maxLength: values.passwordMaxLength,
    argon2: argon2Parameters(input),
    queueLimit: values.hashQueueLimit || waitingForEachHasher * (values.hashingWorkers || cpus),
    breachedCheck,
    breachedFilterPath: values.breachedFilter,
    contextWords: values.contextWords,
  };
}

function argon2Parameters({ values, findings }: Input): PasswordConfig["argon2"] {
  const [, memory = "65536", iterations = "1", parallelism = "1"] =
    /^m=(\d+),t=(\d+),p=(\d+)$/.exec(values.argon2 ?? "") ?? [];
  const parameters = {
    memory: Number(memory),
    iterations: Number(iterations),
    parallelism: Number(parallelism),
  };
  const where = "AUTHKIT_ARGON2";
  if (parameters.parallelism < 1 || parameters.parallelism > 16)
    findings.refuse(where, `has p=${parallelism}`, "use 1 to 16");
  if (parameters.iterations < 1 || parameters.iterations > 20)
    findings.refuse(where, `has t=${iterations}`, "use 1 to 20");
  if (parameters.memory < 8 * parameters.parallelism || parameters.memory > 1_048_576) {
    findings.refuse(where, `has m=${memory}`, "use 8 KiB for each lane up to 1048576 (1 GiB)");
  }
  warnOfCheapHashes(parameters, findings);
  return parameters;
}

/** Least combinations of the OWASP password storage guidance for Argon2id, as memory (KiB) by passes. */
const leastMemory: Readonly<Record<number, number>> = { 1: 47_104, 2: 19_456, 3: 12_288, 4: 9_216 };

function warnOfCheapHashes(
  { memory, iterations }: PasswordConfig["argon2"],
  findings: Input["findings"],
): void {
  const least = leastMemory[iterations] ?? 7_168;
  if (memory < least)
    findings.warn("AUTHKIT_ARGON2", `is cheaper than recommended: t=${iterations} needs m=${least} or more`);
}

export function composePasswordless({ values, findings }: Input): PasswordlessConfig {
  if (values.passwordlessAutoRegister && !values.passwordless) {
    findings.warn("AUTHKIT_PASSWORDLESS_AUTO_REGISTER", "has no effect while AUTHKIT_PASSWORDLESS is false");
  }
  return { enabled: values.passwordless, autoRegister: values.passwordlessAutoRegister };
}

export function composeMfa({ values, findings }: Input, senders: SenderConfig): MfaConfig {
  const usable = values.mfaMethods.some(
    (method) =>
      method === "totp" || (method === "email" ? senders.mail !== undefined : senders.sms !== undefined),
  );
  if (values.mfaMode === "required" && !usable) {
    findings.refuse(
      "AUTHKIT_2FA_MODE",
      "is required, but no method can work without a sender",
      "add totp to AUTHKIT_2FA_METHODS, or configure a sender",
    );
  }
  return {
    mode: values.mfaMode,
    endsSessions: values.mfaEndsSessions,
    methods: [...new Set(values.mfaMethods)],
    passkeyCounts: values.mfaPasskeyCounts,
  };
}

export function composeRetention({ values }: Input): RetentionConfig {
  const days = (milliseconds: number): number => Math.ceil(milliseconds / day);
  return {
    sessionEventDays:
      values.sessionEventRetention === 0
        ? 365
        : values.sessionEventRetention < 0
          ? -1
          : days(values.sessionEventRetention),
    purgeRevokesApiKeys: values.purgeRevokesApiKeys,
    purgeDeletedAfterDays: days(Math.max(0, values.purgeDeletedAfter)),
    auditDays: values.auditRetention <= 0 ? -1 : days(values.auditRetention),
  };
}
