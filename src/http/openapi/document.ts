import type { Config } from "../../config/config.ts";
import { browserError } from "../../contract/errors/index.ts";
import { methods } from "../../contract/methods/index.ts";
import type { Route } from "../route.ts";
import { mountRoutes } from "../table.ts";
import { Components, descriptorSchema, type JsonSchema, routeSchema } from "./schemas.ts";

const version = "3.1.1";

const errorEnvelope: JsonSchema = {
  type: "object",
  required: ["error"],
  properties: {
    error: {
      type: "object",
      required: ["type", "code", "message"],
      properties: {
        type: { type: "string" },
        code: { type: "string" },
        message: { type: "string" },
        param: { type: "string" },
        metadata: { type: "object" },
      },
    },
  },
};

/** Codes every route may answer with, beside its own. */
const authenticationErrors = [
  "missing_token",
  "invalid_token",
  "token_expired",
  "token_revoked",
  "user_disabled",
];

function media(schema: JsonSchema): JsonSchema {
  return { "application/json": { schema } };
}

/** The refusals of a route, one entry a status. */
function refusals(codes: readonly string[], components: Components): Record<string, JsonSchema> {
  const byStatus = new Map<number, string[]>();
  for (const code of codes) {
    const entry = browserError(code);
    if (entry === undefined) continue;
    for (const status of [entry.status, ...(entry.alternatives ?? [])]) {
      byStatus.set(status, [...(byStatus.get(status) ?? []), code]);
    }
  }
  const schema = components.refer("Error", () => errorEnvelope);
  return Object.fromEntries(
    [...byStatus]
      .sort(([a], [b]) => a - b)
      .map(([status, found]) => [
        String(status),
        { description: [...new Set(found)].map((code) => `\`${code}\``).join(", "), content: media(schema) },
      ]),
  );
}

function parameters(template: string, route: Route, fixed: ReadonlySet<string>): JsonSchema[] {
  const inPath = [...template.matchAll(/\{([^}]+)\}/g)]
    .map(([, name]) => name ?? "")
    .filter((name) => !fixed.has(name))
    .map((name) => ({ name, in: "path", required: true, schema: { type: "string" } }));
  const inQuery = Object.entries(route.query?.properties ?? {}).map(([name, schema]) => ({
    name,
    in: "query",
    required: false,
    schema: routeSchema(schema, new Components()),
  }));
  return [...inPath, ...inQuery];
}

function replies(route: Route, components: Components): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(route.replies).map(([status, schema]) => [
      status,
      schema === null
        ? { description: Number(status) >= 300 ? "Redirect or not modified." : "No body." }
        : { description: "Success.", content: media(routeSchema(schema, components)) },
    ]),
  );
}

function operation(path: string, route: Route, components: Components): JsonSchema {
  const authenticated = route.auth !== "none";
  const codes = [...(authenticated ? authenticationErrors : []), ...route.errors];
  const permission =
    typeof route.auth === "string"
      ? ""
      : ` Needs \`${"rootPermission" in route.auth ? route.auth.rootPermission : route.auth.groupPermission}\`.`;
  const body = route.body;
  return {
    operationId: `${route.method.toLowerCase()}${path.replace(/[^A-Za-z0-9]+(.)?/g, (_match, next: string | undefined) => (next ?? "").toUpperCase())}`,
    summary: route.summary,
    ...(permission === "" ? {} : { description: permission.trim() }),
    tags: [route.group],
    parameters: parameters(path, route, new Set()),
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: (route.bodyMode ?? "required") === "required",
            content: media(routeSchema(body, components)),
          },
        }),
    responses: { ...replies(route, components), ...refusals(codes, components) },
    ...(authenticated ? { security: [{ bearer: [] }] } : { security: [] }),
  };
}

function managementOperation(key: keyof typeof methods, components: Components): JsonSchema {
  const method = methods[key];
  const failure = components.refer("ManagementError", () => ({
    type: "object",
    properties: {
      error: {
        type: "object",
        properties: { code: { type: "string" }, message: { type: "string" } },
      },
    },
  }));
  const errors: readonly string[] = "errors" in method && method.errors !== undefined ? method.errors : [];
  return {
    operationId: method.name,
    summary: `${method.topic}: ${method.name}`,
    ...("note" in method && method.note !== undefined ? { description: method.note } : {}),
    tags: [`management: ${method.topic}`],
    requestBody: {
      required: false,
      content: media({
        type: "object",
        properties: Object.fromEntries(
          Object.values(method.args).map(({ wire, type }) => [wire, descriptorSchema(type, components)]),
        ),
      }),
    },
    responses: {
      "200": {
        description: "Success.",
        content: media({
          type: "object",
          properties: { result: descriptorSchema(method.result, components) },
        }),
      },
      default: {
        description: errors.length === 0 ? "Refusal." : errors.map((code) => `\`${code}\``).join(", "),
        content: media(failure),
      },
    },
    security: [{ managementToken: [] }],
  };
}

/** The OpenAPI document of this deployment: the routes its configuration mounts, and the management API where it is mounted. */
export function openApiDocument(routes: readonly Route[], config: Config): JsonSchema {
  const components = new Components();
  const paths: Record<string, Record<string, JsonSchema>> = {};
  const asked = routes.map(
    (route): Route =>
      route.sensitive === true && config.stepUp.admin
        ? { ...route, errors: [...route.errors, "step_up_required"] }
        : route,
  );
  for (const { path, route } of mountRoutes(asked, config)) {
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation(path, route.route, components) };
  }
  if (config.management.open || config.management.tokens.length > 0) {
    const isKey = (key: string): key is keyof typeof methods => Object.hasOwn(methods, key);
    for (const key of Object.keys(methods)) {
      if (isKey(key)) paths[`/v1/call/${methods[key].name}`] = { post: managementOperation(key, components) };
    }
  }
  return {
    openapi: version,
    info: {
      title: "authkit-server",
      version: "1",
      description: "Sign-in for browsers and apps, and the management API for back ends.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    paths,
    components: {
      schemas: components.all(),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        managementToken: { type: "http", scheme: "bearer" },
      },
    },
  };
}
