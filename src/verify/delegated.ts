import { isAuthError } from "../contract/errors/index.ts";
import type { Applications } from "./applications.ts";
import type { Members } from "./compact.ts";
import type { Lookup } from "./lookup.ts";
import type { DelegatedPrincipal } from "./principal.ts";

/** Resolves a reference in an attribute; `undefined` leaves the reference as it is. */
export type AttributeResolver = (issuer: string, name: string, reference: string) => Promise<unknown>;

/** Policies for `verifyDelegatedAccess`. */
export interface DelegatedOptions {
  /** Throws for permissions this resource server does not take from applications. */
  readonly permissionValidator?: ((permissions: readonly string[]) => Promise<void> | void) | undefined;
  /** Throws for attributes it does not take. */
  readonly attributesPolicy?: ((attributes: Members) => Promise<void> | void) | undefined;
  /** Replaces attributes that are references by their definitions; `true` asks the authentication server. */
  readonly attributeHydration?: true | AttributeResolver | undefined;
}

/** The default resolver: the reference is a key of the application's definitions, in their latest version. */
function lookupResolver(lookup: Lookup, applications: Applications): AttributeResolver {
  return async (issuer, _name, key) => {
    const application = await applications.byIssuer(issuer);
    if (application === undefined) return undefined;
    try {
      return (await lookup.resolveRemoteAppAttributeDef?.({ appId: application.id, key, version: 0 }))
        ?.definition;
    } catch (error) {
      if (isAuthError(error, "attribute_def_not_found")) return undefined;
      throw error;
    }
  };
}

/** Applies the policies to a verified delegated principal. */
export function createDelegatedAccess(
  { permissionValidator, attributesPolicy, attributeHydration }: DelegatedOptions,
  lookup: Lookup,
  applications: Applications,
): (principal: DelegatedPrincipal) => Promise<DelegatedPrincipal> {
  const resolver = attributeHydration === true ? lookupResolver(lookup, applications) : attributeHydration;
  return async (principal) => {
    await permissionValidator?.(principal.permissions);
    await attributesPolicy?.(principal.attributes);
    if (resolver === undefined) return principal;
    const attributes: Record<string, unknown> = { ...principal.attributes };
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value !== "string") continue;
      const definition = await resolver(principal.issuer, name, value);
      if (definition !== undefined) attributes[name] = definition;
    }
    return { ...principal, attributes };
  };
}
