import { type Static, Type } from "typebox";
import type { Config } from "../../config/config.ts";
import { isAuthError } from "../../contract/errors/index.ts";
import { bearerToken } from "../../core/authentication/index.ts";
import { compileBody } from "../body.ts";
import { outboxReply } from "../outbox-page.ts";
import { json, type Reply, type Route, type RouteContext, route } from "../route.ts";

/** These routes exist in the development class alone, whatever else is configured. */
function inDevelopment(config: Config): boolean {
  return config.environment.class === "development";
}

const text = Type.Optional(Type.String());
const list = Type.Optional(Type.Array(Type.String()));
const mintBody = Type.Object({
  sub: text,
  aud: text,
  email: text,
  roles: list,
  global_roles: list,
  entitlements: list,
  expires_in_seconds: Type.Optional(Type.Integer()),
});
const decodeMint = compileBody(mintBody, { mode: "required" });

/** Errors of the mint are flat, unlike all others. */
function refuse(status: number, error: string): Reply {
  return json(status, { error });
}

/** The header wins over the bearer when it is not blank: a wrong one is not rescued. */
function mintSecret({ request }: RouteContext): string {
  const header = (request.header("x-dev-secret") ?? "").trim();
  return header === "" ? (bearerToken(request.header("authorization")) ?? "") : header;
}

async function mint(context: RouteContext): Promise<Reply> {
  const { core, config, request } = context;
  if (!core.developmentMint.knows(mintSecret(context))) return refuse(401, "unauthorized");
  const bytes = await request.body(config.server.maxBodyBytes);
  try {
    // The decoder has checked exactly this schema.
    const body = decodeMint(bytes) as Static<typeof mintBody>;
    const subject = (body.sub ?? "").trim();
    const audience = (body.aud ?? "").trim();
    if (subject === "" || audience === "") return refuse(400, "sub and aud are required");
    const { token, expiresAt } = core.developmentMint.issue({
      subject,
      audience,
      email: body.email ?? "",
      roles: body.roles ?? [],
      globalRoles: body.global_roles ?? [],
      entitlements: body.entitlements ?? [],
      lifetimeSeconds: body.expires_in_seconds ?? 0,
    });
    const expires = expiresAt.toISOString().replace(".000Z", "Z");
    return json(200, { token, token_type: "Bearer", expires_at: expires });
  } catch (error) {
    if (!isAuthError(error)) throw error;
    return error.code === "invalid_request"
      ? refuse(400, "invalid_request")
      : refuse(500, "failed to sign token");
  }
}

function whoAmI({ principal }: RouteContext): Reply {
  return json(200, {
    permissions: principal === undefined || principal.kind === "user" ? null : principal.permissions,
    is_api_key: principal?.kind === "api_key",
    user_id: principal?.kind === "user" ? principal.userId : "",
  });
}

export const devRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/dev/whoami",
    group: "dev",
    since: "0.73",
    auth: "required",
    limit: null,
    summary: "Who the bearer token speaks for. Development class only.",
    replies: {
      200: Type.Object({
        permissions: Type.Union([Type.Array(Type.String()), Type.Null()]),
        is_api_key: Type.Boolean(),
        user_id: Type.String(),
      }),
    },
    errors: ["missing_token", "invalid_token", "token_expired", "user_disabled"],
    enabled: (config) => inDevelopment(config) && config.development.endpoints,
    handle: whoAmI,
  }),
  route({
    method: "POST",
    path: "/dev/mint",
    group: "dev",
    since: "0.73",
    auth: "none",
    limit: null,
    summary:
      "Sign an access token for any subject; the secret goes into `X-DEV-SECRET` or the bearer. Development class only.",
    replies: {
      200: Type.Object({
        token: Type.String(),
        token_type: Type.Literal("Bearer"),
        expires_at: Type.String(),
      }),
    },
    errors: [],
    enabled: (config) => inDevelopment(config) && config.development.mintSecret !== undefined,
    handle: mint,
  }),
  route({
    method: "GET",
    path: "/dev/messages",
    group: "dev",
    since: "0.97",
    auth: "none",
    limit: null,
    summary:
      "The last 200 messages of the console sender, newest first; a page for browsers, JSON otherwise. Development class only.",
    query: Type.Object({ to: Type.Optional(Type.String({ description: "Only those to this address." })) }),
    replies: {
      200: Type.Object({
        messages: Type.Array(
          Type.Object({
            id: Type.String(),
            channel: Type.String(),
            to: Type.String(),
            subject: Type.Optional(Type.String()),
            text: Type.String(),
            html: Type.Optional(Type.String()),
            sent_at: Type.String(),
          }),
        ),
      }),
    },
    errors: [],
    enabled: (config) => inDevelopment(config) && config.development.endpoints,
    async handle({ core, request }, { query }) {
      const messages = await core.messages.outbox();
      const wanted = query.to === undefined ? messages : messages.filter(({ to }) => to === query.to);
      return outboxReply(wanted, request.header("accept"));
    },
  }),
];
