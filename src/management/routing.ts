import { cleanPath } from "../platform/http/clean-path.ts";
import { type CallReply, routerReply } from "./reply.ts";

const prefix = "/v1/call/";

/** What the router makes of a request: the name of a method, or the final answer. */
export type Routing = { readonly name: string } | { readonly reply: CallReply };

const notFound: Routing = { reply: routerReply(404, "404 page not found\n") };
const methodNotAllowed: Routing = { reply: routerReply(405, "Method Not Allowed\n", [["Allow", "POST"]]) };
const badRequest: Routing = { reply: routerReply(400, "400 Bad Request\n") };

/** Matches path and verb. Nothing is authenticated yet, so the answers reveal nothing but the shape of the path. */
export function routeCall(verb: string, path: string, query: string): Routing {
  if (path.startsWith(prefix) && !path.includes("/", prefix.length))
    return routeSegment(verb, path.slice(prefix.length));
  const clean = path === "/v1/call" ? prefix : cleanPath(path);
  if (clean === path || (clean !== "/v1/call" && !clean.startsWith(prefix))) return notFound;
  const location = query === "" ? clean : `${clean}?${query}`;
  return { reply: routerReply(307, "", [["Location", location]]) };
}

function routeSegment(verb: string, segment: string): Routing {
  if (segment === "") return notFound;
  if (segment === "." || segment === "..") {
    return { reply: routerReply(307, "", [["Location", segment === "." ? prefix : "/v1/"]]) };
  }
  if (verb !== "POST") return methodNotAllowed;
  if (!segment.includes("%")) return { name: segment };
  try {
    return { name: decodeURIComponent(segment) };
  } catch {
    return badRequest;
  }
}
