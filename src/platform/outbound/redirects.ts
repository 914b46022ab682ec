import { OutboundError } from "./errors.ts";

/** Redirects followed for one request; what needs more goes in circles. */
const maxRedirects = 3;
const statuses = new Set([301, 302, 303, 307, 308]);

/**
 * A `fetch` that follows up to three redirects of GET requests, to https alone. Each hop passes the guard of `fetch`; credentials stay with the
 * origin they were meant for. Other methods are never redirected.
 */
export function followingRedirects(fetch: typeof globalThis.fetch): typeof globalThis.fetch {
  return async (input, init) => {
    let request = new Request(input, init);
    let response = await fetch(request);
    for (let followed = 0; request.method === "GET" && statuses.has(response.status); followed++) {
      const location = response.headers.get("location");
      if (location === null) return response;
      if (followed === maxRedirects) throw new OutboundError("network", "too many redirects");
      const from = new URL(request.url);
      const to = URL.parse(location, from.href);
      if (to?.protocol !== "https:")
        throw new OutboundError("invalid_url", "a redirect leads to no https address");
      const headers = new Headers(request.headers);
      if (to.origin !== from.origin) headers.delete("authorization");
      request = new Request(to.href, { headers, signal: request.signal });
      response = await fetch(request);
    }
    return response;
  };
}
