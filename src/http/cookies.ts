import type { HttpRequest } from "../platform/http/engine.ts";

/** The values of every cookie of that name, in the order they were sent (RFC 6265 §4.2.1): a name may come more than once. */
export function cookieValues(request: HttpRequest, name: string): string[] {
  return request
    .headerValues("cookie")
    .flatMap((line) => line.split(";"))
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
}
