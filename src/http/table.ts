import type { TObject, TSchema } from "typebox";
import type { Config } from "../config/config.ts";
import { type BodyDecoder, compileBody } from "./body.ts";
import type { Route } from "./route.ts";
import type { RouteEntry } from "./router.ts";

/** A route ready to serve. */
export interface CompiledRoute {
  readonly method: Route["method"];
  readonly anyMethod?: true;
  readonly head?: false;
  readonly route: Route;
  /** Full template, as logged and measured. */
  readonly template: string;
  readonly decodeBody: BodyDecoder | undefined;
  readonly queryNames: readonly string[];
}

function compileOne(route: Route, template: string, exactNames: boolean): CompiledRoute {
  const body: TSchema | undefined = route.body;
  const query: TObject | undefined = route.query;
  return {
    method: route.method,
    ...(route.anyMethod === true ? { anyMethod: true } : {}),
    ...(route.head === false ? { head: false } : {}),
    route,
    template,
    decodeBody:
      body === undefined ? undefined : compileBody(body, { mode: route.bodyMode ?? "required", exactNames }),
    queryNames: Object.keys(query?.properties ?? {}),
  };
}

function templateOf(route: Route, config: Config): string {
  if (route.pathIn !== undefined) return route.pathIn(config).replace(/[?#].*$/s, "");
  return route.mount === "root" ? route.path : `${config.apiPrefix}${route.path}`;
}

function taken(entries: readonly RouteEntry<CompiledRoute>[], { method }: Route, path: string): boolean {
  return entries.some((entry) => entry.path === path && entry.route.method === method);
}

/** The rows of the table that this configuration enables, at their full paths, persona templates expanded. */
export function mountRoutes(table: readonly Route[], config: Config): RouteEntry<CompiledRoute>[] {
  const entries: RouteEntry<CompiledRoute>[] = [];
  for (const route of table) {
    if (route.enabled !== undefined && !route.enabled(config)) continue;
    const template = templateOf(route, config);
    if (route.pathIn !== undefined && (template.includes("{") || taken(entries, route, template))) continue;
    const compiled = compileOne(route, template, config.strictStatus);
    if (route.personas === undefined) {
      entries.push({ path: template, route: compiled });
      continue;
    }
    for (const persona of config.personas) {
      if (!route.personas(persona)) continue;
      entries.push({
        path: template.replace("{persona}", persona.name),
        route: compiled,
        fixed: { persona: persona.name },
      });
    }
  }
  return entries;
}
