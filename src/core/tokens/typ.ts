/** JOSE `typ` of each token class. */
export const tokenType = {
  access: "access+jwt",
  service: "service+jwt",
  delegated: "delegated-access+jwt",
  remoteApplication: "remote-application-access+jwt",
  document: "authkit-document+jws",
  applicationRequest: "authkit-application-request+jws",
} as const;

/** Types nobody else may sign, whatever their letter case. */
const own: ReadonlySet<string> = new Set(Object.values(tokenType));

export function isOwnType(typ: string): boolean {
  return own.has(typ.trim().toLowerCase());
}
