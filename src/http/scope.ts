import type { Config } from "../config/config.ts";
import type { Principal } from "../core/authentication/principal.ts";
import type { Core } from "../core/index.ts";
import type { HttpRequest } from "../platform/http/engine.ts";
import { negotiateLanguage } from "./language.ts";
import type { RouteContext } from "./route.ts";

/** Longest `User-Agent` stored. */
const userAgentLimit = 512;

/** The context of one request; language and user agent are worked out only when something asks. */
export class RequestScope implements RouteContext {
  readonly core: Core;
  readonly config: Config;
  readonly request: HttpRequest;
  readonly requestId: string;
  readonly ip: string | undefined;
  principal: Principal | undefined;
  #language: string | undefined;

  constructor(core: Core, config: Config, request: HttpRequest, requestId: string, ip: string | undefined) {
    this.core = core;
    this.config = config;
    this.request = request;
    this.requestId = requestId;
    this.ip = ip;
  }

  get language(): string {
    this.#language ??= negotiateLanguage(this.request, this.config.languages);
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
    if (id.trim() !== "") await this.core.limits.check(bucket, { id });
  }

  async limitIp(bucket: string): Promise<void> {
    await this.core.limits.check(bucket, { ip: this.ip });
  }
}
