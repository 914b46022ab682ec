import { randomBytes } from "node:crypto";
import type { Config } from "../config/config.ts";
import type { FlowOrigin } from "../core/federation/index.ts";
import { json, type Reply } from "./route.ts";

/** Keep tokens and codes out of caches and referrers. */
const discreet: readonly [string, string][] = [
  ["Cache-Control", "no-store"],
  ["Referrer-Policy", "no-referrer"],
];

/** Where a flow's result goes: to the window that opened the popup, to a client that wants JSON, or to the front end's page. */
export type DeliveryWay = "popup" | "json" | "redirect";

export function wantsJson(accept: string | undefined, format: string | undefined): boolean {
  return (format ?? "").toLowerCase() === "json" || (accept ?? "").includes("application/json");
}

function escaped(data: unknown): string {
  return JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** A document whose only script hands `data` to the window that opened it. */
export function popup(config: Config, data: Readonly<Record<string, unknown>>): Reply {
  const target = new URL(config.baseUrl).origin;
  const nonce = randomBytes(16).toString("base64url");
  const script = `if(window.opener){window.opener.postMessage(${escaped(data)},${escaped(target)})}`;
  return {
    status: 200,
    headers: [
      ...discreet,
      ["Content-Type", "text/html; charset=utf-8"],
      [
        "Content-Security-Policy",
        `default-src 'none'; script-src 'nonce-${nonce}'; base-uri 'none'; frame-ancestors 'none'`,
      ],
      ["Cross-Origin-Opener-Policy", "unsafe-none"],
    ],
    body: {
      text: `<!doctype html><html><head><meta charset="utf-8"><title>Signing in</title></head><body><script nonce="${nonce}">${script}</script></body></html>`,
    },
  };
}

/** To the front end's page, with the parameters in the fragment, which no server on the way sees. */
export function redirect(config: Config, parameters: Readonly<Record<string, string>>): Reply {
  const fragment = new URLSearchParams(parameters);
  fragment.sort();
  const base = config.baseUrl.replace(/\/+$/, "");
  return {
    status: 302,
    headers: [...discreet, ["Location", `${base}${config.frontend.oidcReturnPath}#${fragment}`]],
  };
}

/** Back to where a step-up was asked for. */
export function stepUpRedirect(config: Config, returnTo: string, outcome: "success" | "failed"): Reply {
  const origin = new URL(config.baseUrl).origin;
  const url = new URL(returnTo, origin);
  url.searchParams.set("step_up", outcome);
  url.searchParams.sort();
  return { status: 302, headers: [...discreet, ["Location", url.href]] };
}

/** A reply with members as JSON that no cache keeps. */
export function jsonResult(status: number, body: Readonly<Record<string, unknown>>): Reply {
  return json(status, body, discreet);
}

/** `return_to` as a parameter: only when it says more than the start page. */
export function returnToMember({ returnTo }: Pick<FlowOrigin, "returnTo">): Record<string, string> {
  return returnTo === "/" ? {} : { return_to: returnTo };
}
