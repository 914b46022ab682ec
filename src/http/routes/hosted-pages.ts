import { randomBytes } from "node:crypto";
import { Type } from "typebox";
import { type HostedPage, hostedPage } from "../hosted/page.ts";
import { type Route, route } from "../route.ts";

function hosted(page: HostedPage, summary: string): Route {
  return route({
    method: "GET",
    path: `/${page}`,
    mount: "root",
    pathIn: ({ frontend }) => (page === "verify" ? frontend.verifyPath : frontend.resetPath),
    group: "pages",
    since: "0.97",
    auth: "none",
    limit: null,
    enabled: ({ frontend }) => frontend.hostedPages,
    summary,
    query: Type.Object({ channel: Type.Optional(Type.String()), token: Type.Optional(Type.String()) }),
    replies: { 200: Type.String() },
    errors: [],
    handle(context) {
      const nonce = randomBytes(16).toString("base64url");
      return {
        status: 200,
        headers: [
          ["Content-Type", "text/html; charset=utf-8"],
          [
            "Content-Security-Policy",
            `default-src 'none'; connect-src 'self'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
          ],
        ],
        body: { text: hostedPage(page, context.config, context.language, nonce) },
      };
    },
  });
}

/** Pages behind mailed links, for deployments without a front end of their own (spec 40 §5.3). */
export const hostedPageRoutes: readonly Route[] = [
  hosted("verify", "Page that confirms an address or number with the token of its link."),
  hosted("reset", "Page that sets a new password with the token of its link."),
];
