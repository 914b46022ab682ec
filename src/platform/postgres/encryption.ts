import { readFileSync } from "node:fs";
import { type ConnectionOptions, rootCertificates } from "node:tls";
import type { Dsn } from "../../config/dsn.ts";

/** TLS settings of one way to connect; `undefined` = in the clear. */
export type TlsOptions = ConnectionOptions | undefined;

/**
 * The ways to try, in order, for the DSN's `sslmode` (libpq's meaning). Reads the certificate files it names.
 *
 * @throws Error when a named file is unreadable.
 */
export function tlsAttempts(dsn: Dsn): readonly TlsOptions[] {
  const { mode, rootCertificate, certificate, key } = dsn.ssl;
  const identity: ConnectionOptions = {
    ...(certificate === undefined ? {} : { cert: readFileSync(certificate) }),
    ...(key === undefined ? {} : { key: readFileSync(key) }),
  };
  const ca = trusted(rootCertificate);
  const encrypted: ConnectionOptions = { ...identity, rejectUnauthorized: false };
  const authority: ConnectionOptions = { ...identity, ...ca, checkServerIdentity: () => undefined };
  switch (mode) {
    case "disable":
      return [undefined];
    case "allow":
      return [undefined, encrypted];
    case "prefer":
      return [encrypted, undefined];
    case "require":
      // With a CA named, libpq checks the chain also in this mode.
      return [rootCertificate === undefined ? encrypted : authority];
    case "verify-ca":
      return [authority];
    case "verify-full":
      return [{ ...identity, ...ca }];
  }
}

function trusted(rootCertificate: string | undefined): ConnectionOptions {
  if (rootCertificate === undefined) return {};
  if (rootCertificate === "system") return { ca: [...rootCertificates] };
  return { ca: readFileSync(rootCertificate) };
}
