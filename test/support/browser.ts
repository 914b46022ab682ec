import { recordReply } from "./wire-record.ts";

/** A reply a scripted browser looks at. */
export interface BrowserReply {
  readonly url: string;
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Follows redirects and keeps cookies by origin, as a browser does, but shows every step. */
export class ScriptedBrowser {
  readonly #jars = new Map<string, Map<string, string>>();

  cookies(origin: string): ReadonlyMap<string, string> {
    return this.#jars.get(new URL(origin).origin) ?? new Map();
  }

  /** One request, without following a redirect. */
  async step(url: string, init: RequestInit = {}): Promise<BrowserReply> {
    const { origin } = new URL(url);
    const jar = this.#jars.get(origin) ?? new Map<string, string>();
    this.#jars.set(origin, jar);
    const headers = new Headers(init.headers);
    if (!headers.has("accept")) headers.set("accept", "text/html");
    if (jar.size > 0) headers.set("cookie", [...jar].map(([name, value]) => `${name}=${value}`).join("; "));
    const response = await fetch(url, {
      ...init,
      headers,
      redirect: "manual",
      signal: AbortSignal.timeout(20_000),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [pair = "", ...attributes] = cookie.split(";");
      const at = pair.indexOf("=");
      const expired = attributes.some((attribute) => /max-age=0|expires=thu, 01 jan 1970/i.test(attribute));
      if (expired) jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const text = await response.text();
    const refusal = /(?:[?#&]error=|"code":")(\w+)/.exec(`${response.headers.get("location") ?? ""} ${text}`);
    recordReply(init.method ?? "GET", url, response.status, refusal?.[1]);
    return { url, status: response.status, headers: response.headers, text };
  }

  /** Follows redirects until a reply is none, or leads to an address for which `until` holds; that address is returned unvisited. */
  async follow(
    url: string,
    until: (location: string) => boolean = () => false,
  ): Promise<{ readonly reply: BrowserReply; readonly location: string | undefined }> {
    let next = url;
    for (let hop = 0; hop < 20; hop++) {
      const reply = await this.step(next);
      const location = reply.headers.get("location");
      if (reply.status < 300 || reply.status >= 400 || location === null)
        return { reply, location: undefined };
      next = new URL(location, next).href;
      if (until(next)) return { reply, location: next };
    }
    throw new Error("too many redirects");
  }
}
