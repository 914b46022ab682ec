import { once } from "node:events";
import { createServer, type Server } from "node:http";
import Provider, { type Configuration } from "oidc-provider";
import { freePort } from "./ports.ts";

export interface ProviderPerson {
  readonly sub: string;
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly name?: string;
  readonly preferred_username?: string;
}

/** A real OpenID provider on loopback whose people are signed in without being asked. */
export interface TestOpenIdProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who signs in from now on. */
  person(person: ProviderPerson): void;
  /** From now on nobody consents. */
  refuse(refusing: boolean): void;
  stop(): Promise<void>;
}

/** Starts it for a client with these redirect URIs. */
export async function startOpenIdProvider(redirectUris: readonly string[]): Promise<TestOpenIdProvider> {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const clientId = "authkit";
  const clientSecret = "test-client-secret-0123456789abcdef0123456789";
  const people = new Map<string, ProviderPerson>();
  let current: ProviderPerson = { sub: "nobody" };
  let refusing = false;
  const configuration: Configuration = {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [...redirectUris],
        grant_types: ["authorization_code"],
        response_types: ["code"],
      },
    ],
    claims: {
      openid: ["sub"],
      email: ["email", "email_verified"],
      profile: ["name", "preferred_username"],
    },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    cookies: { keys: ["test"] },
    pkce: { required: () => false },
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: async () => ({ ...(people.get(sub) ?? { sub }) }),
    }),
  };
  const provider = new Provider(issuer, configuration);
  const handle = provider.callback();
  const server: Server = createServer((request, response) => {
    if (request.url?.startsWith("/interaction/") !== true) {
      handle(request, response);
      return;
    }
    void (async () => {
      const { prompt, params, grantId } = await provider.interactionDetails(request, response);
      if (refusing) {
        await provider.interactionFinished(request, response, { error: "access_denied" });
        return;
      }
      if (prompt.name === "login") {
        await provider.interactionFinished(request, response, {
          login: { accountId: current.sub, remember: false },
        });
        return;
      }
      const grant =
        grantId === undefined
          ? new provider.Grant({ accountId: current.sub, clientId: String(params["client_id"]) })
          : ((await provider.Grant.find(grantId)) ?? new provider.Grant());
      grant.addOIDCScope("openid email profile");
      await provider.interactionFinished(
        request,
        response,
        { consent: { grantId: await grant.save() } },
        { mergeWithLastSubmission: true },
      );
    })().catch((error: unknown) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return {
    issuer,
    clientId,
    clientSecret,
    person(next) {
      people.set(next.sub, next);
      current = next;
    },
    refuse(next) {
      refusing = next;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
