import type { BootstrapManifestRemoteApplication } from "../../contract/dtos/bootstrap.ts";
import { AuthError, isAuthError } from "../../contract/errors/index.ts";
import type { ApplicationStatement, RemoteApplications } from "../remote-applications/index.ts";
import { authorityStore } from "./authority-store.ts";
import type { DeclaredAuthority } from "./types.ts";

function statement(
  { slug, issuer, jwksUri, publicKeys, enabled }: BootstrapManifestRemoteApplication,
  permissionGroupId: string,
): ApplicationStatement {
  const keys = publicKeys.map((key) => ({ ...key }));
  return {
    ...{ slug, issuer, jwksUri, permissionGroupId, mode: "", enabled: enabled ?? true },
    publicKeys: keys.length === 0 ? null : keys,
  };
}

/** Stands for the root group where a declaration is only looked at. */
const anyGroup = "00000000-0000-0000-0000-000000000000";

/** Trusted applications of a manifest: they belong to the root group. */
export function createDeclaredApplications(
  applications: Pick<RemoteApplications, "upsert" | "check" | "byIssuer">,
): Pick<DeclaredAuthority, "storeApplication" | "checkApplication"> {
  return {
    async storeApplication(declared, context, tx) {
      const rootId = await authorityStore.findGroup(tx, "root", "");
      if (rootId === undefined) throw new AuthError("permission_group_not_found");
      const before = await applications.byIssuer(declared.issuer, tx).catch((error: unknown) => {
        if (isAuthError(error, "remote_application_not_found")) return undefined;
        throw error;
      });
      const stored = await applications.upsert(statement(declared, rootId), context, { keepSame: true, tx });
      return { id: stored.id, changed: before?.updatedAt.getTime() !== stored.updatedAt.getTime() };
    },
    checkApplication: (declared) => applications.check(statement(declared, anyGroup)),
  };
}
