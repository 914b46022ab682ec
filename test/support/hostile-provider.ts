import { createHmac, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** Sends the head and then nothing, or one byte now and then, or cuts the connection. */
  readonly trick?: "silence" | "drip" | "reset" | "flood";
}

/** An OpenID provider on loopback that answers what a test tells it to. */
export interface HostileProvider {
  readonly issuer: string;
  readonly keys: { readonly privateKey: KeyObject; readonly publicKey: KeyObject };
  /** Issuer of a provider whose discovery or keys are answered so; everything else is in order. */
  at(variant: string, answers: { readonly discovery?: Answer; readonly keys?: Answer }): string;
  /** What the token and userinfo endpoints answer from now on. */
  token: Answer;
  userInfo: Answer;
  /** What a second userinfo address answers. */
  second: Answer;
  /** Paths asked for, newest last. */
  readonly asked: string[];
  /** Bodies the token endpoint got, newest last. */
  readonly grants: URLSearchParams[];
  stop(): Promise<void>;
}

const encode = (value: unknown): string =>
  Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");

/** A JWS over any header and payload, whatever the header says of its algorithm. */
export function forge(header: object, payload: unknown, secret: KeyObject | string | undefined): string {
  const input = `${encode(header)}.${encode(payload)}`;
  if (secret === undefined) return `${input}.`;
  const signature =
    typeof secret === "string"
      ? createHmac("sha256", secret).update(input).digest()
      : sign("sha256", Buffer.from(input), { key: secret, dsaEncoding: "ieee-p1363" });
  return `${input}.${signature.toString("base64url")}`;
}

function send(response: ServerResponse, { status = 200, headers = {}, body, trick }: Answer): void {
  if (trick === "reset") {
    response.socket?.resetAndDestroy();
    return;
  }
  response.writeHead(status, { "content-type": "application/json", ...headers });
  if (trick === undefined) {
    response.end(typeof body === "string" ? body : JSON.stringify(body ?? {}));
    return;
  }
  response.write("{");
  if (trick === "silence") return;
  const chunk = trick === "flood" ? " ".repeat(256 * 1024) : " ";
  const timer = setInterval(() => response.write(chunk), trick === "flood" ? 1 : 500);
  response.on("close", () => clearInterval(timer));
}

export async function startHostileProvider(): Promise<HostileProvider> {
  const pair = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = { ...pair.publicKey.export({ format: "jwk" }), kid: "k1", use: "sig", alg: "ES256" };
  const variants = new Map<string, { readonly discovery?: Answer; readonly keys?: Answer }>();
  const asked: string[] = [];
  const grants: URLSearchParams[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? "/";
    asked.push(path);
    const sent: Buffer[] = [];
    request.on("data", (chunk: Buffer) => sent.push(chunk));
    request.on("end", () => {
      if (path.endsWith("/token")) grants.push(new URLSearchParams(Buffer.concat(sent).toString()));
    });
    const [, variant = ""] = path.split("/");
    const issuer = `${provider.issuer}/${variant}`;
    const own = variants.get(variant);
    if (path.endsWith("/.well-known/openid-configuration"))
      return send(
        response,
        own?.discovery ?? {
          body: {
            ...{ issuer, authorization_endpoint: `${issuer}/authorize`, token_endpoint: `${issuer}/token` },
            ...{ userinfo_endpoint: `${issuer}/userinfo`, jwks_uri: `${issuer}/jwks` },
            ...{ response_types_supported: ["code"], subject_types_supported: ["public"] },
            ...{
              id_token_signing_alg_values_supported: ["ES256"],
              code_challenge_methods_supported: ["S256"],
            },
            authorization_response_iss_parameter_supported: true,
          },
        },
      );
    if (path.endsWith("/jwks")) return send(response, own?.keys ?? { body: { keys: [jwk] } });
    if (path.endsWith("/token")) return send(response, provider.token);
    if (path.endsWith("/emails/userinfo")) return send(response, provider.second);
    if (path.endsWith("/userinfo")) return send(response, provider.userInfo);
    return send(response, { status: 404 });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const provider: HostileProvider = {
    issuer: `http://127.0.0.1:${port}`,
    keys: pair,
    token: {},
    userInfo: {},
    second: {},
    asked,
    grants,
    at(variant, answers) {
      variants.set(variant, answers);
      return `http://127.0.0.1:${port}/${variant}`;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return provider;
}
