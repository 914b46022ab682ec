import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A JWS by ES256 over any header and payload. */
export function signedRequest(key: KeyObject, header: object, payload: unknown): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${sign("sha256", Buffer.from(input), { key, dsaEncoding: "ieee-p1363" }).toString("base64url")}`;
}

/** The server of an application with one static key, `k1`. */
export interface ApplicationSite {
  /** The domain it registers under. */
  readonly base: string;
  readonly key: KeyObject;
  /** Of its document; asked for again with each fetch. */
  slug: () => string;
  close(): void;
}

export async function startApplicationSite(name: string): Promise<ApplicationSite> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = String(publicKey.export({ format: "pem", type: "spki" }));
  const server = createServer((_request, response) => {
    const slug = site.slug();
    const keys = [{ kid: "k1", public_key_pem: pem }];
    response.end(JSON.stringify({ slug, issuer: `${site.base}/${slug}`, public_keys: keys }));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const site: ApplicationSite = {
    base: `http://127.0.0.1:${port}`,
    key: privateKey,
    slug: () => name,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return site;
}
