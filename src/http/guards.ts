import { AuthError } from "../contract/errors/index.ts";
import type { Principal } from "../core/authentication/principal.ts";
import { isPasskeySession } from "../core/mfa/index.ts";
import type { Route, RouteAuth } from "./route.ts";
import type { RequestScope } from "./scope.ts";

function bearer(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  const space = header.indexOf(" ");
  return space === 6 && header.slice(0, 6).toLowerCase() === "bearer" ? header : undefined;
}

/** A second factor is mandatory here and this user's token says none is enrolled. */
function mustEnroll(scope: RequestScope, principal: Principal): boolean {
  return (
    scope.config.mfa.mode === "required" &&
    principal.kind === "user" &&
    !principal.mfaEnrolled &&
    !principal.enrollment &&
    !(scope.config.mfa.passkeyCounts && isPasskeySession(principal.amr))
  );
}

function admit(scope: RequestScope, principal: Principal, auth: RouteAuth): void {
  scope.principal = principal;
  if (auth === "required-or-enrollment") return;
  if (principal.kind === "user" && principal.enrollment) throw new AuthError("forbidden");
  if (mustEnroll(scope, principal)) {
    throw new AuthError("2fa_enrollment_required", {
      metadata: { requires_2fa_enrollment: true, allowed_methods: scope.core.mfaStates.availableMethods() },
    });
  }
}

async function permit(
  scope: RequestScope,
  permission: string,
  persona: string,
  instance: string,
): Promise<void> {
  const principal = scope.principal;
  if (
    principal === undefined ||
    !(await scope.core.authorization.allows(principal, permission, persona, instance))
  ) {
    throw new AuthError("forbidden");
  }
}

/**
 * Applies a route's authentication rule. Returns synchronously when nothing has to be looked up, which is the common case of a verified
 * user token.
 */
export function authenticate(
  scope: RequestScope,
  auth: RouteAuth,
  params: Readonly<Record<string, string>>,
): Promise<void> | undefined {
  if (auth === "none") return undefined;
  const header = scope.request.header("authorization");
  if (auth === "optional" && bearer(header) === undefined) return undefined;
  const found = scope.core.authenticator.authenticate(header);
  const permission =
    typeof auth === "string"
      ? undefined
      : "rootPermission" in auth
        ? { name: auth.rootPermission, persona: "root", instance: "" }
        : {
            name: auth.groupPermission.replace("{persona}", params["persona"] ?? ""),
            persona: params["persona"] ?? "",
            instance: params["instance_slug"] ?? "",
          };
  if (found instanceof Promise || permission !== undefined) {
    return (async () => {
      admit(scope, await found, auth);
      if (permission !== undefined)
        await permit(scope, permission.name, permission.persona, permission.instance);
    })();
  }
  admit(scope, found, auth);
  return undefined;
}

/**
 * Sensitive routes want users freshly authenticated where the deployment asks for it; keys and applications cannot be. Throws
 * `step_up_required`.
 */
export async function assertFresh(scope: RequestScope, { sensitive }: Route): Promise<void> {
  const { principal, config, core } = scope;
  if (sensitive !== true || !config.stepUp.admin || principal?.kind !== "user") return;
  if (!core.sensitiveGate.isFresh(principal)) throw await core.sensitiveGate.refusal(principal.userId);
}
