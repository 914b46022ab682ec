import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./ports.ts";
import { startTestRedis, type TestRedis } from "./redis.ts";
import type { RedisUser } from "./redis-rights.ts";

/** A certificate authority of a test's own and what it signed for 127.0.0.1. */
export interface TestCertificates {
  readonly caPath: string;
  readonly ca: string;
  readonly certPath: string;
  readonly keyPath: string;
  remove(): Promise<void>;
}

export async function makeCertificates(): Promise<TestCertificates> {
  const directory = await mkdtemp(join(tmpdir(), "authkit-certificates-"));
  const at = (name: string): string => join(directory, name);
  const openssl = (...args: readonly string[]) => promisify(execFile)("openssl", [...args]);
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  await openssl(
    ...["req", "-x509", ...key, "-days", "2", "-subj", "/CN=authkit test authority"],
    ...["-keyout", at("ca.key"), "-out", at("ca.pem")],
  );
  await openssl(
    ...["req", ...key, "-subj", "/CN=redis", "-keyout", at("server.key"), "-out", at("server.csr")],
  );
  await writeFile(at("names.cnf"), "subjectAltName = IP:127.0.0.1, DNS:localhost\n");
  await openssl(
    ...[
      "x509",
      "-req",
      "-in",
      at("server.csr"),
      "-CA",
      at("ca.pem"),
      "-CAkey",
      at("ca.key"),
      "-CAcreateserial",
    ],
    ...["-days", "2", "-extfile", at("names.cnf"), "-out", at("server.pem")],
  );
  return {
    caPath: at("ca.pem"),
    ca: await readFile(at("ca.pem"), "utf8"),
    certPath: at("server.pem"),
    keyPath: at("server.key"),
    remove: () => rm(directory, { recursive: true, force: true }),
  };
}

/** A Redis that answers over TLS to named users alone. */
export interface TlsRedis extends TestRedis {
  /** Its port without TLS, for `administrator` with the password `administrator`. */
  readonly port: number;
  readonly tlsPort: number;
}

export async function startTlsRedis(certificates: TestCertificates, user: RedisUser): Promise<TlsRedis> {
  const tlsPort = await freePort();
  const redis = await startTestRedis({
    args: [
      ...["--tls-port", String(tlsPort), "--tls-auth-clients", "no"],
      ...["--tls-cert-file", certificates.certPath, "--tls-key-file", certificates.keyPath],
      ...["--tls-ca-cert-file", certificates.caPath],
      ...["--user", "default", "off"],
      ...["--user", "administrator", "on", ">administrator", "~*", "&*", "+@all"],
      ...["--user", ...user],
    ],
  });
  return { ...redis, tlsPort };
}
