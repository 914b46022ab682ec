import { apiPrefix, baseAddress, frontendPath } from "../network.ts";
import { boolean, list, oneOf, onOff, path, text } from "../values.ts";
import { optional, variable } from "../variable.ts";

/** Who this deployment is: environment class, issuer, addresses, where settings come from. */
export const place = {
  environment: optional("AUTHKIT_ENV", text, {
    origin: "contract",
    defaultText: "`dev`",
    doc: "Environment. `dev`, `development`, `local` and `test` are the development class; every other name, `staging` included, is the production class, which demands key material, Redis and a management token.",
  }),
  configFile: optional("AUTHKIT_CONFIG", path, {
    doc: "YAML file with the settings the environment expresses badly: identity providers, personas, senders, limits. The environment wins over it. The schema for editors is `src/config/schema.json`.",
  }),
  rbacFile: optional("AUTHKIT_RBAC_FILE", path, {
    doc: "YAML or JSON file that declares personas and API-key settings alone (`personas`, `api_keys`).",
  }),
  providersFile: optional("AUTHKIT_PROVIDERS_PATH", path, {
    doc: "YAML or JSON file with a list of identity providers, each as under `providers` of the YAML file.",
  }),
  stateDirectory: variable("AUTHKIT_STATE_DIR", path, ".authkit", {
    doc: "Directory of development state: embedded database, generated keys and tokens. In production it takes compiled code where the installation cannot be written.",
  }),
  contract: variable("AUTHKIT_CONTRACT", oneOf("0.73", "0.97"), "0.73", {
    yaml: "contract",
    doc: "Generation of the contract that answers where the two contradict each other.",
  }),
  strictStatus: variable("AUTHKIT_STRICT_STATUS", boolean, false, {
    yaml: "strict_status",
    doc: "Answer with the improved statuses where the contract's are kept only for compatibility, and take the members of request bodies by their exact names only.",
  }),
  machinesMayBan: variable("AUTHKIT_MACHINES_MAY_BAN", boolean, false, {
    yaml: "machines_may_ban",
    doc: "Let API keys and applications with the permission `root:users:ban` ban users over the admin routes, which the contract leaves to users.",
  }),
  issuer: optional("AUTHKIT_ISSUER", baseAddress, {
    origin: "contract",
    defaultText: "required; in development `http://localhost:<port>`",
    doc: "`iss` of issued tokens: a URL with scheme and host. Trailing slashes are removed.",
  }),
  baseUrl: optional("AUTHKIT_BASE_URL", baseAddress, {
    yaml: "frontend.base_url",
    aliases: [{ name: "AUTHKIT_FRONTEND_BASE_URL", deprecated: false }],
    defaultText: "the issuer",
    doc: "Base of links in messages and of redirects to the front end.",
  }),
  publicUrl: optional("AUTHKIT_PUBLIC_URL", baseAddress, {
    yaml: "federation.public_url",
    defaultText: "the base URL",
    doc: "Base of the redirect URIs registered at identity providers, when front end and server live on different hosts.",
  }),
  audiences: variable("AUTHKIT_AUDIENCES", list(text, { nonEmpty: true }), ["authkit"], {
    origin: "contract",
    yaml: "tokens.audiences",
    doc: "`aud` of access tokens, and the audiences accepted.",
  }),
  apiPrefix: variable("AUTHKIT_API_PREFIX", apiPrefix, "/api/v1", {
    origin: "contract",
    doc: "Where the API routes mount. `/` is the root; `/v1`, `/.well-known`, `/healthz`, `/readyz` and `/metrics` are taken.",
  }),
  discovery: variable("AUTHKIT_DISCOVERY", onOff, false, {
    yaml: "server.discovery",
    defaultText: "`off`",
    doc: "Serve `/.well-known/authkit-configuration`: issuer, key set and signing algorithms for verifiers that configure themselves.",
  }),
  hostedPages: variable("AUTHKIT_HOSTED_PAGES", onOff, true, {
    yaml: "frontend.hosted_pages",
    defaultText: "`on`",
    doc: "Serve pages of our own behind the links that verify an address and reset a password, as long as there is no front end (`AUTHKIT_BASE_URL`).",
  }),
  verifyPath: frontend(
    "AUTHKIT_VERIFY_PATH",
    "/verify",
    "verify_path",
    "e-mail and phone verification links",
  ),
  resetPath: frontend("AUTHKIT_RESET_PATH", "/reset", "reset_path", "password-reset links"),
  passwordlessPath: frontend(
    "AUTHKIT_PASSWORDLESS_PATH",
    "/passwordless",
    "passwordless_path",
    "passwordless login links",
  ),
  invitePath: frontend("AUTHKIT_INVITE_PATH", "/accept-invite", "invite_path", "invite links"),
  oidcReturnPath: frontend(
    "AUTHKIT_OIDC_RETURN_PATH",
    "/login/callback",
    "oidc_return_path",
    "the return from an identity provider",
  ),
};

function frontend(name: string, fallback: string, key: string, purpose: string) {
  return variable(name, frontendPath, fallback, {
    yaml: `frontend.${key}`,
    doc: `Front-end path of ${purpose}, appended to the base URL.`,
  });
}
