import type { Static, TObject, TSchema } from "typebox";
import type { Config, PersonaConfig } from "../config/config.ts";
import type { BrowserErrorCode } from "../contract/errors/index.ts";
import type { Principal } from "../core/authentication/principal.ts";
import type { Core } from "../core/index.ts";
import type { CallContext } from "../core/platform.ts";
import type { HeaderList, HttpRequest } from "../platform/http/engine.ts";

export type HttpMethod = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** What a route asks of the caller (spec 20 §1.6). */
export type RouteAuth =
  | "none"
  | "optional"
  | "required"
  /** As `required`, and a 2FA-enrolment token is admitted. */
  | "required-or-enrollment"
  /** As `required`, plus a permission on the root group. */
  | { readonly rootPermission: string }
  /** As `required`, plus a permission on the group named by the path; `{persona}` is replaced. */
  | { readonly groupPermission: string };

export interface RouteContext extends CallContext {
  readonly core: Core;
  readonly config: Config;
  readonly request: HttpRequest;
  /** Present when the route authenticates and a bearer was sent. */
  readonly principal: Principal | undefined;
  /** Charges a further limit: `id` is an identifier (blank = skipped). Throws `rate_limited`. */
  limit(bucket: string, id: string): Promise<void>;
  /** Charges the IP limit of a bucket; the route's own `limit` has been charged already. Throws `rate_limited`. */
  limitIp(bucket: string): Promise<void>;
}

export interface Reply {
  readonly status: number;
  readonly headers?: HeaderList;
  /** Encoded as JSON with a final line feed; a Buffer or `{ text }` goes out as it is. */
  readonly body?: unknown;
}

export interface RouteInput<Body, Query> {
  readonly body: Body;
  readonly query: Query;
  /** Percent-decoded path values. */
  readonly params: Readonly<Record<string, string>>;
}

/**
 * One row of the route table. From it come dispatch, 405 answers, capabilities, the OpenAPI document and the reference page.
 */
export interface Route<B extends TSchema = TSchema, Q extends TObject = TObject> {
  readonly method: HttpMethod;
  /** Template relative to the API prefix, e.g. `/user/sessions/{id}`; `mount: "root"` routes are absolute. */
  readonly path: string;
  readonly mount?: "prefix" | "root";
  /**
   * The path in place of `path` where the operator chooses it; a query or fragment in it plays no part. Such a route gives way to any other at
   * its path.
   */
  readonly pathIn?: (config: Config) => string;
  readonly group: string;
  readonly since: "0.73" | "0.97";
  readonly auth: RouteAuth;
  /** Bucket of spec 40 §4.3 charged by client IP before anything is read; null = unlimited; `deferred` = charged by the handler. */
  readonly limit: string | null | { readonly deferred: string };
  readonly summary: string;
  /** JSON body. Unknown members are refused, names match case-insensitively, null = absent (spec 20 §1.2). */
  readonly body?: B;
  /** `optional`: no body counts as `{}`. `lenient`: a bad body counts as `{}`. `open`: unknown members allowed. Default: required, strict. */
  readonly bodyMode?: "required" | "optional" | "lenient" | "open";
  readonly query?: Q;
  /** Success replies by status, for the reference; not checked at run time. */
  readonly replies: Readonly<Record<number, TSchema | null>>;
  readonly errors: readonly BrowserErrorCode[];
  /** Code under which this route reports a failure of ours (500); `internal_error` when absent. */
  readonly failure?: BrowserErrorCode;
  /** A disabled route does not exist: 404. */
  readonly enabled?: (config: Config) => boolean;
  /** A route with `{persona}` first exists once for each declared persona this admits. */
  readonly personas?: (persona: PersonaConfig) => boolean;
  /** The handler answers every method of the path, and tells them apart itself. */
  readonly anyMethod?: true;
  /** A GET route that HEAD does not reach, because answering it has effects: 405. */
  readonly head?: false;
  /** Changes credentials or other people's accounts: users must be freshly authenticated where the deployment asks for it. */
  readonly sensitive?: true;
  /** Runs before the body is read, and may answer (or refuse) at once; for what must not depend on the body. */
  readonly before?: (
    context: RouteContext,
    params: Readonly<Record<string, string>>,
  ) => Promise<Reply | undefined> | Reply | undefined;
  // Method syntax on purpose: the table stores routes of all body types side by side, and `body` and `query` have been
  // checked against exactly these schemas before `handle` runs.
  handle(context: RouteContext, input: RouteInput<Static<B>, Static<Q>>): Promise<Reply> | Reply;
}

/** Declares a route; the type parameters come from its schemas. */
export function route<B extends TSchema, Q extends TObject>(definition: Route<B, Q>): Route {
  return definition;
}

/** A JSON reply. */
export function json(status: number, body: unknown, headers?: HeaderList): Reply {
  return headers === undefined ? { status, body } : { status, body, headers };
}
