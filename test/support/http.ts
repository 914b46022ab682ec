import { recordReply } from "./wire-record.ts";

/** A reply as tests look at it. */
export interface TestReply {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Parsed body, or undefined when it is no JSON object. */
  readonly body: Record<string, unknown>;
  /** `error.code` of either envelope. */
  readonly code: string | undefined;
}

export interface TestRequest {
  readonly method?: string;
  readonly body?: unknown;
  readonly bearer?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}

/** One request; a body that is no string is sent as JSON. Redirects are not followed. */
export async function request(url: string, options: TestRequest = {}): Promise<TestReply> {
  const headers = new Headers(options.headers);
  if (options.bearer !== undefined) headers.set("authorization", `Bearer ${options.bearer}`);
  const init: RequestInit = {
    method: options.method ?? (options.body === undefined ? "GET" : "POST"),
    headers,
    redirect: "manual",
  };
  if (options.body !== undefined) {
    init.body = typeof options.body === "string" ? options.body : JSON.stringify(options.body);
    if (!headers.has("content-type")) headers.set("content-type", "application/json");
  }
  const response = await fetch(url, { ...init, signal: AbortSignal.timeout(30_000) });
  const text = await response.text();
  const body = parse(text);
  const error = body["error"];
  const code = isRecord(error) && typeof error["code"] === "string" ? error["code"] : undefined;
  recordReply(init.method ?? "GET", url, response.status, code);
  return { status: response.status, headers: response.headers, text, body, code };
}

/** A management call. */
export function call(
  cluster: { readonly url: string; readonly managementToken: string },
  method: string,
  args: unknown = {},
): Promise<TestReply> {
  return request(`${cluster.url}/v1/call/${method}`, {
    method: "POST",
    body: args,
    bearer: cluster.managementToken,
  });
}
