import { createHash } from "node:crypto";
import { Type } from "typebox";
import type { Config } from "../../config/config.ts";
import type { Core } from "../../core/index.ts";
import { type Reply, type Route, type RouteContext, route } from "../route.ts";

const capabilitiesBody = Type.Object(
  {
    registration: Type.Object({ mode: Type.String(), invite_token_required: Type.Boolean() }),
    providers: Type.Array(
      Type.Object({
        id: Type.String(),
        name: Type.String(),
        kind: Type.String(),
        supports_login: Type.Boolean(),
        supports_registration: Type.Boolean(),
        supports_link: Type.Boolean(),
      }),
    ),
    password: Type.Object({ login: Type.Boolean() }),
    passwordless: Type.Object({ enabled: Type.Boolean(), channels: Type.Array(Type.String()) }),
    passkeys: Type.Object({ login: Type.Boolean() }),
    solana: Type.Object({ login: Type.Boolean() }),
    verification: Type.Object({ registration: Type.String() }),
    two_factor: Type.Object({ mode: Type.String(), methods: Type.Array(Type.String()) }),
    languages: Type.Optional(Type.Array(Type.String())),
  },
  { $id: "Capabilities" },
);

/** What this deployment offers, so that a sign-in page can draw itself. */
export function capabilities(
  config: Config,
  core: Pick<Core, "messages" | "mfaStates" | "federation">,
): Record<string, unknown> {
  const open = config.registration.mode !== "closed";
  return {
    registration: {
      mode: config.registration.mode,
      invite_token_required: config.registration.mode === "invite_only",
    },
    providers: core.federation.providers().map((provider) => ({
      id: provider.id,
      name: provider.name,
      kind: provider.kind,
      supports_login: true,
      supports_registration: open,
      supports_link: true,
    })),
    password: { login: true },
    passwordless: {
      enabled: config.passwordless.enabled,
      channels: core.messages.available("sms") ? ["email", "sms"] : ["email"],
    },
    passkeys: { login: config.passkeys.rpId !== "" },
    solana: { login: config.solana.enabled },
    verification: { registration: config.registration.verification },
    two_factor: { mode: config.mfa.mode, methods: core.mfaStates.availableMethods() },
    ...(config.languages.configured === undefined ? {} : { languages: config.languages.configured }),
  };
}

function reply(context: RouteContext): Reply {
  const text = JSON.stringify(capabilities(context.config, context.core));
  const etag = `"${createHash("sha256").update(text).digest("hex")}"`;
  const headers: [string, string][] = [
    ["Cache-Control", "public, max-age=300"],
    ["ETag", etag],
  ];
  const known = context.request.header("if-none-match");
  if (known?.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag) === true)
    return { status: 304, headers };
  return { status: 200, headers, body: { text: `${text}\n` } };
}

const definition = {
  method: "GET",
  group: "auth",
  auth: "none",
  limit: null,
  summary: "What this deployment offers: registration mode, providers, passwordless, passkeys, languages.",
  replies: { 200: capabilitiesBody, 304: null },
  errors: [],
  handle: reply,
} as const;

export const capabilityRoutes: readonly Route[] = [
  route({ ...definition, path: "/auth/capabilities", since: "0.73" }),
  route({ ...definition, path: "/capabilities", since: "0.97" }),
];
