import { createHash, timingSafeEqual } from "node:crypto";
import type { HttpRequest } from "../platform/http/engine.ts";
import { cookieValues } from "./cookies.ts";

const name = "authkit_oauth_state";
const lifetime = 900;

/** A name of its own for each flow, so that a second tab does not overwrite the first one's. */
function ownName(state: string): string {
  return `${name}_${createHash("sha256").update(state).digest("hex").slice(0, 8)}`;
}

function attributes(secure: boolean): string {
  return `Path=/; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
}

/** Binds a flow to the browser that started it (RFC 9700 §4.7). `secure` = the public address is https. */
export function flowCookies(state: string, secure: boolean): [string, string][] {
  return [name, ownName(state)].map((cookie) => [
    "Set-Cookie",
    `${cookie}=${state}; Max-Age=${lifetime}; ${attributes(secure)}`,
  ]);
}

/** Removes them again. */
export function clearedFlowCookies(state: string, secure: boolean): [string, string][] {
  return [name, ownName(state)].map((cookie) => [
    "Set-Cookie",
    `${cookie}=; Max-Age=0; ${attributes(secure)}`,
  ]);
}

function equal(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Whether this browser started the flow with that state. */
export function holdsFlow(request: HttpRequest, state: string): boolean {
  return [name, ownName(state)].some((cookie) =>
    cookieValues(request, cookie).some((value) => equal(value, state)),
  );
}
