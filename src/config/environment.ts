import type { EnvironmentConfig } from "./config.ts";
import type { Findings } from "./problems.ts";

const developmentNames = new Set(["dev", "development", "local", "test"]);

/**
 * The environment's class: unset, `dev`, `development`, `local` and `test` are development, everything else is production. It is the
 * only classifier; the variables the earlier generation consulted for its signing keys must not contradict it.
 */
export function classifyEnvironment(env: NodeJS.ProcessEnv, findings?: Findings): EnvironmentConfig {
  const given = (env["AUTHKIT_ENV"] ?? "").trim();
  if (given === "") {
    const other = ["ENV", "APP_ENV", "ENVIRONMENT"].find((name) => (env[name] ?? "").trim() !== "");
    if (other !== undefined && /^prod(uction)?$/i.test((env[other] ?? "").trim())) {
      findings?.refuse(
        "AUTHKIT_ENV",
        `is not set while ${other} says production`,
        "set AUTHKIT_ENV to production, or to dev on purpose",
      );
    }
    return { name: "dev", class: "development", explicit: false };
  }
  return {
    name: given,
    class: developmentNames.has(given.toLowerCase()) ? "development" : "production",
    explicit: true,
  };
}
