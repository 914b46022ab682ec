import type { Config } from "../config/config.ts";
import type { Principal } from "../core/authentication/principal.ts";
import { acceptedLanguages, negotiateLanguage } from "../core/identifiers/index.ts";
import type { Core } from "../core/index.ts";
import { type LimitResult, rateLimitHeaders, tighter } from "../core/limits/index.ts";
import type { HeaderList, HttpRequest } from "../platform/http/engine.ts";
import type { RouteContext } from "./route.ts";

/** Longest `User-Agent` stored. */
const userAgentLimit = 512;

function cookie(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(";") ?? []) {
    const [key, ...value] = part.split("=");
    if (key?.trim() === name) return value.join("=").trim();
  }
  return undefined;
}

/** Language of a request: query `lang`, cookie `lang`, `Accept-Language`, then the default. */
function languageOf(request: HttpRequest, config: Config): string {
  const candidates = [
    request.query.includes("lang=")
      ? (new URLSearchParams(request.query).get("lang") ?? undefined)
      : undefined,
    cookie(request.header("cookie"), "lang"),
    ...acceptedLanguages(request.header("accept-language") ?? ""),
  ];
  return negotiateLanguage(candidates, config.languages.supported, config.languages.default);
}

/** The context of one request; language and user agent are worked out only when something asks. */
export class RequestScope implements RouteContext {
  readonly core: Core;
  readonly config: Config;
  readonly request: HttpRequest;
  readonly requestId: string;
  readonly ip: string | undefined;
  principal: Principal | undefined;
  tightest: LimitResult | undefined;
  #language: string | undefined;

  constructor(core: Core, config: Config, request: HttpRequest, requestId: string, ip: string | undefined) {
    this.core = core;
    this.config = config;
    this.request = request;
    this.requestId = requestId;
    this.ip = ip;
  }

  get language(): string {
    this.#language ??= languageOf(this.request, this.config);
    return this.#language;
  }

  get userAgent(): string | undefined {
    const value = this.request.header("user-agent")?.trim();
    return value === undefined || value === "" ? undefined : value.slice(0, userAgentLimit);
  }

  get signal(): AbortSignal {
    return this.request.signal;
  }

  get actor(): string | undefined {
    const principal = this.principal;
    switch (principal?.kind) {
      case "user":
        return `user:${principal.userId}`;
      case "api_key":
        return `api_key:${principal.keyId}`;
      case "remote_application":
        return `application:${principal.slug}`;
      case "delegated":
        return `delegated:${principal.applicationSlug}`;
      default:
        return undefined;
    }
  }

  async limit(bucket: string, id: string): Promise<void> {
    if (id.trim() !== "") this.#charged(await this.core.limits.check(bucket, { id }));
  }

  async limitIp(bucket: string): Promise<void> {
    this.#charged(await this.core.limits.check(bucket, { ip: this.ip }));
  }

  /** `RateLimit-*` headers of the tightest limit this request was charged to; none when it is not limited. */
  get limitHeaders(): HeaderList {
    const { tightest } = this;
    return tightest === undefined ? [] : Object.entries(rateLimitHeaders(tightest.decision, tightest.rule));
  }

  #charged(result: LimitResult | undefined): void {
    this.tightest = tighter(this.tightest, result);
  }
}
