import type { Config } from "../../config/config.ts";
import type { Messages } from "./types.ts";

/**
 * The front end's page with its parameters in alphabetical order. A configured path that has a query already is continued, never given a
 * second one; a fragment stays at the end.
 */
export function createLinks(config: Pick<Config, "baseUrl" | "frontend">): Messages["link"] {
  const { frontend } = config;
  const paths = {
    verify: frontend.verifyPath,
    reset: frontend.resetPath,
    passwordless: frontend.passwordlessPath,
    invite: frontend.invitePath,
  };
  const base = config.baseUrl.replace(/\/+$/, "");
  return (page, parameters) => {
    const [address = "", ...fragment] = `${base}${paths[page]}`.split("#");
    const sorted = Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
    const query = new URLSearchParams(sorted).toString();
    const joint = query === "" ? "" : !address.includes("?") ? "?" : /[?&]$/.test(address) ? "" : "&";
    const end = fragment.length === 0 ? "" : `#${fragment.join("#")}`;
    return `${address}${joint}${query}${end}`;
  };
}
