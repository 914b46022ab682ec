import type { Config, FrontendConfig } from "../config.ts";
import { isLoopback } from "../network.ts";
import type { Input } from "./input.ts";

type Addresses = Pick<Config, "issuer" | "baseUrl" | "frontend" | "audiences" | "apiPrefix"> & {
  readonly publicUrl: string;
};

/** Issuer, base URL and the paths on them. */
export function composeAddresses(input: Input): Addresses {
  const { values } = input;
  const issuer = issuerOf(input);
  const baseUrl = values.baseUrl ?? issuer;
  warnOfPlainHttp(input, { AUTHKIT_ISSUER: issuer, AUTHKIT_BASE_URL: baseUrl });
  return {
    issuer,
    baseUrl,
    publicUrl: values.publicUrl ?? baseUrl,
    frontend: frontendOf(input),
    audiences: values.audiences,
    apiPrefix: values.apiPrefix,
  };
}

function issuerOf({ values, development, findings }: Input): string {
  if (values.issuer !== undefined) return values.issuer;
  if (!development)
    findings.refuse("AUTHKIT_ISSUER", "is required", "set it to the public URL of this server");
  return `http://localhost:${values.listen.port}`;
}

function frontendOf({ values }: Input): FrontendConfig {
  return {
    verifyPath: values.verifyPath,
    resetPath: values.resetPath,
    passwordlessPath: values.passwordlessPath,
    invitePath: values.invitePath,
    oidcReturnPath: values.oidcReturnPath,
    hostedPages: values.hostedPages && values.baseUrl === undefined,
  };
}

function warnOfPlainHttp(
  { development, findings }: Input,
  addresses: Readonly<Record<string, string>>,
): void {
  if (development) return;
  const warned = new Set<string>();
  for (const [name, address] of Object.entries(addresses)) {
    const url = new URL(address);
    if (url.protocol === "https:" || isLoopback(url.hostname) || warned.has(address)) continue;
    warned.add(address);
    findings.warn(name, `${address} is plain HTTP: tokens would travel readable, and passkeys do not work`);
  }
}
