import { createHash, randomBytes } from "node:crypto";
import { Type } from "typebox";
import type { Config } from "../../config/config.ts";
import { openApiDocument } from "../openapi/document.ts";
import { referencePage } from "../openapi/page.ts";
import { type Route, route } from "../route.ts";

/** The reference of a route table, itself among it. Made with the first request: most workers are never asked. */
export function referenceRoutes(table: () => readonly Route[]): readonly Route[] {
  const made = new WeakMap<Config, { readonly body: Buffer; readonly etag: string }>();
  function document(config: Config) {
    const known = made.get(config);
    if (known !== undefined) return known;
    const body = Buffer.from(JSON.stringify(openApiDocument(table(), config)));
    const entry = { body, etag: `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"` };
    made.set(config, entry);
    return entry;
  }

  return [
    route({
      method: "GET",
      path: "/openapi.json",
      mount: "root",
      group: "reference",
      since: "0.97",
      auth: "none",
      limit: "default",
      summary: "This API as an OpenAPI 3.1 document.",
      replies: { 200: Type.Object({}, { additionalProperties: true }), 304: null },
      errors: ["rate_limited"],
      handle(context) {
        const { body, etag } = document(context.config);
        const caching: [string, string][] = [
          ["ETag", etag],
          ["Cache-Control", "public, max-age=300"],
        ];
        if (context.request.header("if-none-match") === etag) return { status: 304, headers: caching };
        return { status: 200, headers: caching, body };
      },
    }),
    route({
      method: "GET",
      path: "/docs",
      mount: "root",
      group: "reference",
      since: "0.97",
      auth: "none",
      limit: "default",
      summary: "This reference as a page.",
      replies: { 200: Type.String() },
      errors: ["rate_limited"],
      handle() {
        const nonce = randomBytes(16).toString("base64url");
        const policy = `default-src 'none'; connect-src 'self'; script-src 'nonce-${nonce}'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
        return {
          status: 200,
          headers: [
            ["Content-Type", "text/html; charset=utf-8"],
            ["Content-Security-Policy", policy],
          ],
          body: { text: referencePage(nonce) },
        };
      },
    }),
  ];
}
