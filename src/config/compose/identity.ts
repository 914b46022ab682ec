import { isIP } from "node:net";
import type {
  ApplicationsConfig,
  Config,
  LanguageConfig,
  PasskeyConfig,
  PersonaConfig,
  SolanaConfig,
} from "../config.ts";
import type { Input } from "./input.ts";

type Addresses = Pick<Config, "issuer" | "baseUrl">;

export function composePasskeys(
  { values, findings, given }: Input,
  { issuer, baseUrl }: Addresses,
): PasskeyConfig {
  const { passkeyUserVerification: userVerification, passkeysPerUser: maxPerUser } = values;
  if (!values.passkeys) return { rpId: "", rpName: "", origins: [], userVerification, maxPerUser };
  const rpId = values.passkeyRpId ?? new URL(issuer).hostname.replace(/^\[|\]$/g, "");
  const own = [...new Set([new URL(issuer).origin, new URL(baseUrl).origin])];
  const origins = values.passkeyOrigins ?? own.filter((candidate) => isWithin(rpId, candidate));
  for (const origin of values.passkeyOrigins ?? []) {
    if (!isWithin(rpId, origin)) {
      findings.refuse(
        "AUTHKIT_PASSKEY_ORIGINS",
        `${origin} is neither on ${rpId} nor below it`,
        "correct it, or AUTHKIT_PASSKEY_RPID",
      );
    }
  }
  if (origins.length === 0) {
    findings.refuse(
      "AUTHKIT_PASSKEY_RPID",
      `${rpId} is neither the issuer's host nor a parent of it`,
      "correct it, or set AUTHKIT_PASSKEY_ORIGINS",
    );
  } else if (values.passkeyOrigins === undefined && !isWithin(rpId, baseUrl)) {
    findings.warn(
      "AUTHKIT_PASSKEY_RPID",
      `passkeys will not work at ${new URL(baseUrl).origin}, which is not on ${rpId} or below it`,
    );
  }
  if (given.has("passkeyRpId") && isIP(rpId) !== 0)
    findings.refuse("AUTHKIT_PASSKEY_RPID", `${rpId} is an IP address`, "use a host name");
  return {
    rpId,
    rpName: values.passkeyRpName ?? issuer,
    origins,
    userVerification,
    maxPerUser,
  };
}

/** Whether the origin's host is the relying-party id or a subdomain of it (WebAuthn §5.1.3). */
function isWithin(rpId: string, origin: string): boolean {
  const host = new URL(origin).hostname.replace(/^\[|\]$/g, "");
  return host === rpId || host.endsWith(`.${rpId}`);
}

export function composeLanguages({ values, findings }: Input): LanguageConfig {
  const configured = values.languages?.map((language) => language.toLowerCase());
  const supported = [...new Set(configured ?? ["en"])];
  const fallback = values.defaultLanguage?.toLowerCase() ?? "en";
  for (const language of supported) {
    if (!/^[a-z]{2}$/.test(language)) {
      findings.warn(
        "AUTHKIT_LANGUAGES",
        `${JSON.stringify(language)} can never be chosen: languages are negotiated by two-letter code`,
      );
    }
  }
  if (!supported.includes(fallback)) {
    findings.refuse(
      "AUTHKIT_DEFAULT_LANGUAGE",
      `${values.defaultLanguage === undefined ? "is not set, and " : ""}${JSON.stringify(fallback)} is not among the supported languages ${supported.join(", ")}`,
      "set it to one of AUTHKIT_LANGUAGES",
    );
  }
  return { configured: configured === undefined ? undefined : supported, supported, default: fallback };
}

const nameResolver = "https://sdk-proxy.sns.id/favorite-domain";

export function composeSolana({ values, development }: Input, { baseUrl }: Addresses): SolanaConfig {
  const given = values.solanaNetwork === "mainnet-beta" ? "mainnet" : values.solanaNetwork;
  return {
    enabled: given !== undefined,
    network: given ?? (development ? "testnet" : "mainnet"),
    domain: values.solanaDomain ?? new URL(baseUrl).hostname,
    nameService: {
      enabled: values.solanaNameService,
      url: values.solanaNameService ? (values.solanaNameServiceUrl ?? nameResolver) : undefined,
      timeoutMs: 3_000,
    },
  };
}

export function composeApplications(
  { sections, findings }: Input,
  personas: readonly PersonaConfig[],
): ApplicationsConfig {
  const applications = sections.applications ?? {
    selfRegistration: false,
    approveByDefault: true,
    options: {},
  };
  const persona = personas.find(({ name }) => name === applications.options["orgPersona"]);
  if (applications.selfRegistration && persona?.parent !== "root") {
    findings.refuse(
      "applications.self_registration",
      "is on without an org_persona declared directly below root",
      "declare the persona and name it in applications.org_persona",
    );
  }
  return applications;
}
