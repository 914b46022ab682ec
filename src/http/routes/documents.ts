import { isAuthError } from "../../contract/errors/index.ts";
import type { PublishedDocument } from "../../core/signed-documents/index.ts";
import type { HeaderList } from "../../platform/http/engine.ts";
import { type Reply, type Route, type RouteContext, route } from "../route.ts";

const bodiless = (status: number, headers?: HeaderList): Reply =>
  headers === undefined ? { status } : { status, headers };

/** Whether the caller is an application that speaks for itself and may read documents. */
function isReader({ principal, config }: RouteContext): boolean {
  return (
    principal?.kind === "remote_application" &&
    config.documents?.readerSlugs.includes(principal.slug) === true
  );
}

function matches(header: string | undefined, etag: string): boolean {
  return header?.split(",").some((candidate) => candidate.trim() === etag) ?? false;
}

async function serve(context: RouteContext, digest: string): Promise<Reply> {
  let found: PublishedDocument | undefined;
  try {
    found = await context.core.signedDocuments.read(digest);
  } catch (error) {
    if (isAuthError(error, "service_unavailable")) return bodiless(503, [["Retry-After", "1"]]);
    throw error;
  }
  if (found === undefined) return bodiless(404);
  const caching: HeaderList = [
    ["ETag", found.etag],
    ["Cache-Control", "private, no-cache"],
  ];
  if (matches(context.request.header("if-none-match"), found.etag)) return bodiless(304, caching);
  return {
    status: 200,
    headers: [["Content-Type", "application/jose"], ...caching],
    body: { text: found.jws },
  };
}

/** Signed documents for the applications that may read them (spec 30 §1.9). */
export const documentRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/.well-known/authkit/documents/{digest}",
    mount: "root",
    group: "documents",
    since: "0.97",
    auth: "required",
    limit: null,
    // Whoever has no token learns nothing, not even which methods there are.
    anyMethod: true,
    enabled: ({ documents }) => documents !== undefined,
    summary: "A signed document by its digest, as a compact JWS.",
    replies: { 200: null, 304: null },
    errors: ["forbidden", "2fa_enrollment_required"],
    handle(context, { params }) {
      const { method } = context.request;
      if (method !== "GET" && method !== "HEAD") return bodiless(405, [["Allow", "GET, HEAD"]]);
      const digest = params["digest"] ?? "";
      if (!/^sha256:[0-9a-f]{64}$/.test(digest)) return bodiless(404);
      if (!isReader(context)) return bodiless(401, [["WWW-Authenticate", "Bearer"]]);
      return serve(context, digest);
    },
  }),
];
