import type { Route } from "./route.ts";

/** A route found, with its raw path values in template order. */
export interface Match<R> {
  readonly route: R;
  readonly params: Readonly<Record<string, string>>;
}

/** The path exists, under other methods only. */
export interface WrongMethod {
  /** Sorted, HEAD beside GET. */
  readonly allow: string;
}

/** One path to serve; `fixed` are path values the expansion of a template has settled already. */
export interface RouteEntry<R> {
  readonly path: string;
  readonly route: R;
  readonly fixed?: Readonly<Record<string, string>>;
}

export type RouteLookup<R> = Match<R> | WrongMethod | undefined;

interface Node<R> {
  readonly literals: Map<string, Node<R>>;
  parameter: Node<R> | undefined;
  readonly methods: Map<string, Target<R>>;
}

interface Target<R> {
  readonly route: R;
  readonly names: readonly string[];
  readonly fixed: Readonly<Record<string, string>>;
}

/** Key of a route that answers methods it does not name. */
const anyMethod = "*";
const noParams: Readonly<Record<string, string>> = Object.freeze({});

function newNode<R>(): Node<R> {
  return { literals: new Map(), parameter: undefined, methods: new Map() };
}

function decodeSegment(segment: string): string | undefined {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch (cause) {
    if (cause instanceof URIError) return undefined;
    throw cause;
  }
}

/**
 * Compiles a route table once into a lookup: exact paths by one map access, templated ones by a walk over segments in which a literal beats
 * a parameter. `{x}` matches one non-empty segment, percent-decoded after splitting, so `%2F` stays inside the value.
 */
export function compileRoutes<R extends Pick<Route, "method" | "anyMethod" | "head">>(
  table: readonly RouteEntry<R>[],
): (method: string, path: string) => RouteLookup<R> {
  const exact = new Map<string, Node<R>>();
  const root = newNode<R>();
  for (const { path, route, fixed = noParams } of table) {
    const names: string[] = [];
    let node: Node<R>;
    if (path.includes("{")) {
      node = root;
      for (const segment of path.split("/").slice(1)) {
        if (segment.startsWith("{")) {
          names.push(segment.slice(1, -1));
          node.parameter ??= newNode<R>();
          node = node.parameter;
        } else {
          const next = node.literals.get(segment) ?? newNode<R>();
          node.literals.set(segment, next);
          node = next;
        }
      }
    } else {
      node = exact.get(path) ?? newNode<R>();
      exact.set(path, node);
    }
    if (node.methods.has(route.method)) throw new Error(`two routes for ${route.method} ${path}`);
    node.methods.set(route.method, { route, names, fixed });
    if (route.anyMethod === true) node.methods.set(anyMethod, { route, names, fixed });
  }

  const walk = (
    segments: readonly string[],
    index: number,
    node: Node<R>,
    values: string[],
  ): Node<R> | undefined => {
    if (index === segments.length) return node.methods.size > 0 ? node : undefined;
    const segment = segments[index] ?? "";
    const literal = node.literals.get(segment);
    if (literal !== undefined) {
      const found = walk(segments, index + 1, literal, values);
      if (found !== undefined) return found;
    }
    if (node.parameter === undefined || segment === "") return undefined;
    const value = decodeSegment(segment);
    if (value === undefined) return undefined;
    values.push(value);
    const found = walk(segments, index + 1, node.parameter, values);
    if (found === undefined) values.pop();
    return found;
  };

  return (method, path) => {
    const values: string[] = [];
    const templated = (): Node<R> | undefined => walk(path.split("/").slice(1), 0, root, values);
    let node = exact.get(path);
    const wanted = method === "HEAD" ? "GET" : method;
    // A templated route may serve the method an exact path does not.
    if (node === undefined || !node.methods.has(wanted)) {
      const other = templated();
      if (other?.methods.has(wanted) === true || node === undefined) node = other;
    }
    if (node === undefined) return undefined;
    const hit = node.methods.get(wanted) ?? node.methods.get(anyMethod);
    if (hit === undefined || (method === "HEAD" && hit.route.head === false)) {
      const methods = [...node.methods.keys()];
      if (node.methods.get("GET")?.route.head !== false && methods.includes("GET")) methods.push("HEAD");
      return { allow: methods.sort().join(", ") };
    }
    if (hit.names.length === 0) return { route: hit.route, params: hit.fixed };
    const params: Record<string, string> = { ...hit.fixed };
    hit.names.forEach((name, i) => {
      params[name] = values[i] ?? "";
    });
    return { route: hit.route, params };
  };
}
